// One connection to a source of news, for all who subscribe: it is there as long as anybody wants it, comes
// back after a break, and every wait for it has "stopped" as a second exit. Go: a map of subscribers, a
// reference count, done channels and a reconnect loop
#include <cstdio>
#include <string>

#include "channels/broadcast.hpp"
#include "channels/channel_case.hpp"
#include "channels/handshake.hpp"
#include "channels/place_case.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;
using std::chrono::milliseconds;

namespace {

class Watch {
 public:
  explicit Watch(Context& parent)
      : listener_(parent, "watch"), commands_(parent.loop(), 4, "commands"), news_(parent.loop(), "news") {
    spawn(listener_, listen(listener_.context(), *this));
  }

  // Asks for a subscription and waits until it stands; an error when the listener ends meanwhile.
  Task<Result<void>> subscribe(Context& ctx) { return tell(ctx, +1); }
  Task<Result<void>> unsubscribe(Context& ctx) { return tell(ctx, -1); }
  Broadcast<std::string>& news() { return news_; }
  Handshake::Stop stop(Context& patience) { return listener_.stop(patience); }

 private:
  using Command = Request<int, int>;  // by how many subscribers more; answered when it is so

  Task<Result<void>> tell(Context& ctx, int change) {
    Reply<int> reply(ctx.loop());
    auto sent = send(commands_, Command{change, reply.replier()});
    auto answered = on(reply);
    auto stopped = on(listener_.stopped());
    std::size_t which = co_await select(ctx, sent, stopped);
    if (which == 0) which = co_await select(ctx, answered, stopped);
    if (which == select_cancelled) co_return std::unexpected(ctx.cause());
    if (which == 1) co_return std::unexpected(Error::closed("the watch has stopped"));
    Result<int> users = answered.take();
    if (!users) co_return std::unexpected(users.error());
    co_return Result<void>();
  }

  // Owns the connection and the count; nobody else touches them.
  static Task<> listen(Context& ctx, Watch& self) {
    int users = 0;
    int connection = 0;
    auto command = receive(self.commands_);
    auto event = at(ctx.loop(), TimePoint::max());
    for (;;) {
      const std::size_t which = co_await select(ctx, command, event);
      if (which == select_cancelled) co_return;
      if (which == 0) {
        Result<Command> asked = command.take();
        if (!asked) co_return;
        const int before = std::exchange(users, users + asked->question);
        if (before == 0) std::printf("connected, number %d\n", ++connection);
        if (users == 0) std::puts("disconnected: nobody is left");
        event.target(users == 0 ? TimePoint::max() : ctx.loop().now() + milliseconds(5));
        (void)asked->reply.answer(users);
        continue;
      }
      if (connection == 1) {  // it breaks: connect again, and the subscriptions go on
        std::printf("connected again, number %d\n", ++connection);
        event.target(ctx.loop().now() + milliseconds(5));
        continue;
      }
      self.news_.publish("event over connection " + std::to_string(connection));
      event.reset();
    }
  }

  Handshake listener_;
  Channel<Command> commands_;  // 4: a few may ask at once, and nobody asks often
  Broadcast<std::string> news_;
};

Task<> use(Context& ctx, Watch& watch, int number) {
  Subscription<std::string> news(watch.news(), 8);
  Result<void> there = co_await watch.subscribe(ctx);
  if (!there) co_return;
  Result<Received<std::string>> event = co_await news.next(ctx);
  std::printf("user %d: %s\n", number, event ? event->value.c_str() : event.error().text().c_str());
  (void)co_await watch.unsubscribe(ctx);
}

Task<> run(Context& ctx) {
  Watch watch(ctx);
  WaitGroup users(ctx.loop());
  spawn(users, "user", use(ctx, watch, 1));
  spawn(users, "user", use(ctx, watch, 2));
  (void)co_await users.wait(ctx);
  (void)co_await watch.stop(ctx);
  Result<void> late = co_await watch.subscribe(ctx);
  std::printf("%s\n", late ? "subscribed" : late.error().text().c_str());
}

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  TaskHandle program = spawn(loop, "main", run(root));
  loop.run();
}
