// One task owns the state; others ask it, each with its own timeout.
// Go: req := request{key, make(chan reply, 1)}; select { case r := <-req.reply: … case <-ctx.Done(): … }
#include <cstdio>
#include <map>
#include <string>

#include "channels/request.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

using Lookup = Request<std::string, int>;

Task<> own_the_table(Context& ctx, Receiver<Lookup> in) {
  std::map<std::string, int> table{{"one", 1}, {"two", 2}, {"slow", 3}};
  while (Result<Lookup> request = co_await in.receive(ctx)) {
    if (request->question == "slow") (void)co_await sleep_for(ctx, milliseconds(250));
    auto found = table.find(request->question);
    if (found == table.end()) {
      request->reply.fail(Error(Error::Kind::failed, "no such key"));
    } else if (!request->reply.answer(found->second)) {
      std::puts("owner: the asker had left");
    }
  }
}

Task<> look_up(Context& ctx, Sender<Lookup> owner, const char* key) {
  Context patience(ctx, ctx.loop().now() + milliseconds(100));
  Result<int> answer = co_await ask(patience, owner, key);
  if (answer) {
    std::printf("%s = %d\n", key, *answer);
  } else {
    std::printf("%s: %s\n", key, answer.error().text().c_str());
  }
}

Task<> run(Context& ctx) {
  Channel<Lookup> requests(ctx.loop(), 8, "table");
  WaitGroup tasks(ctx.loop());
  spawn(tasks, "owner", own_the_table(ctx, requests.receiver()));
  for (const char* key : {"one", "two", "three", "slow"}) co_await look_up(ctx, requests.sender(), key);
  requests.close();
  (void)co_await tasks.wait(ctx);
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
