#include "channels/broadcast.hpp"

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;

Task<> read_all(Context& ctx, Broadcast<int>& broadcast, std::size_t capacity, std::string& log) {
  Subscription<int> subscription(broadcast, capacity);
  for (;;) {
    Result<Received<int>> item = co_await subscription.next(ctx);
    if (!item) {
      log += to_string(item.error().kind());
      co_return;
    }
    if (item->missed != 0) log += "(" + std::to_string(item->missed) + " missed)";
    log += std::to_string(item->value) + ";";
  }
}

TEST(Broadcast, every_subscriber_gets_every_value) {
  Rig rig;
  std::string a;
  std::string b;
  Broadcast<int> broadcast(rig.loop, "events");
  broadcast.publish(0);  // for nobody
  rig.go(read_all(rig.root, broadcast, 4, a));
  rig.go(read_all(rig.root, broadcast, 4, b));
  rig.idle();
  for (int i : {1, 2, 3}) broadcast.publish(i);
  rig.idle();
  broadcast.close();
  rig.idle();
  EXPECT_EQ(a, "1;2;3;closed");
  EXPECT_EQ(b, a);
}

TEST(Broadcast, a_slow_subscriber_loses_its_oldest_and_is_told) {
  Rig rig;
  std::string slow;
  std::string fast;
  Broadcast<int> broadcast(rig.loop, "events");
  rig.go(read_all(rig.root, broadcast, 2, slow));
  rig.go(read_all(rig.root, broadcast, 10, fast));
  rig.idle();
  for (int i = 1; i <= 5; ++i) broadcast.publish(i);
  rig.idle();
  broadcast.publish(6);
  broadcast.close();
  rig.idle();
  EXPECT_EQ(slow, "(3 missed)4;5;6;closed");
  EXPECT_EQ(fast, "1;2;3;4;5;6;closed");
}

TEST(Broadcast, a_cancel_ends_the_reader_alone_and_a_value_of_the_same_turn_is_still_read) {
  Rig rig;
  std::string a;
  std::string b;
  Broadcast<int> broadcast(rig.loop, "events");
  Context ctx(rig.root);
  rig.go(read_all(ctx, broadcast, 2, a));
  rig.go(read_all(rig.root, broadcast, 2, b));
  rig.idle();
  ctx.cancel();
  broadcast.publish(1);
  rig.idle();
  broadcast.publish(2);
  rig.idle();
  EXPECT_EQ(a, "1;cancelled");
  broadcast.close();
  rig.idle();
  EXPECT_EQ(b, "1;2;closed");
}

TEST(Broadcast, subscriptions_outlive_it_and_drain) {
  Rig rig;
  auto broadcast = std::make_unique<Broadcast<int>>(rig.loop, "events");
  Subscription<int> subscription(*broadcast, 2);
  broadcast->publish(1);
  broadcast.reset();
  EXPECT_EQ(subscription.try_next()->value, 1);
  auto next = subscription.next(rig.root);
  ASSERT_TRUE(next.await_ready());
  EXPECT_EQ(next.await_resume().error().kind(), Error::Kind::closed);
}

struct BroadcastScenario {
  std::string log;
  Context child;
  Broadcast<int> broadcast;
  WaitGroup tasks;
  BroadcastScenario(Loop& loop, Context& root) : child(root), broadcast(loop, "events"), tasks(loop) {
    spawn(tasks, "reader", read_all(root, broadcast, 2, log));
    spawn(tasks, "cancelled reader", read_all(child, broadcast, 2, log));
    spawn(tasks, "publisher", publish(loop, broadcast, child));
  }
  static Task<> publish(Loop& loop, Broadcast<int>& broadcast, Context& child) {
    for (int i = 0; i < 4; ++i) {
      broadcast.publish(i);
      broadcast.publish(i + 10);
      co_await yield(loop);
      if (i == 2) child.cancel();
    }
    broadcast.close();
  }
};

TEST(Broadcast, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<BroadcastScenario>(), 5);
}

}  // namespace
}  // namespace belfry
