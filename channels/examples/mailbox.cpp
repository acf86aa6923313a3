// The one way into the loop from another thread.
// Go: any channel
#include <cstdio>
#include <string>
#include <thread>

#include "channels/channel.hpp"
#include "channels/mailbox.hpp"
#include "channels/spawn.hpp"

using namespace belfry;

namespace {

// Runs in a thread of its own: it touches nothing of the loop but the mailbox.
void read_lines(const Mailbox& mailbox, Channel<std::string>& lines, Ringer<int> ended) {
  for (const char* line : {"first", "second"}) {
    mailbox.post([&lines, text = std::string(line)]() mutable { (void)lines.try_send(std::move(text)); });
  }
  mailbox.post_ring(ended, 2);
}

Task<> run(Context& ctx) {
  Channel<std::string> lines(ctx.loop(), 8, "lines");
  Bell<int> ended(ctx.loop(), "reader ended");
  Mailbox mailbox(ctx.loop());
  std::thread reader(read_lines, std::cref(mailbox), std::ref(lines), ended.ringer());
  Result<int> count = co_await ended.get(ctx);
  reader.join();  // it has nothing left to do: this does not hold up the loop
  lines.close();
  while (Result<std::string> line = co_await lines.receive(ctx)) std::printf("%s\n", line->c_str());
  std::printf("%d lines\n", count.value_or(-1));
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
