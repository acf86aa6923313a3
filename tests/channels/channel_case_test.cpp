#include "channels/channel_case.hpp"

#include <array>

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

// Merges two channels until both have ended; an ended one is disabled.
Task<> merge(Context& ctx, Receiver<int> a, Receiver<int> b, std::vector<int>& out) {
  auto from_a = receive(a);
  auto from_b = receive(b);
  for (int open = 2; open > 0;) {
    const std::size_t which = co_await select(ctx, from_a, from_b);
    if (which == select_cancelled) co_return;
    auto& chosen = which == 0 ? from_a : from_b;
    Result<int> item = chosen.take();
    if (item) {
      out.push_back(*item);
    } else {
      chosen.reset();
      --open;
    }
  }
}

TEST(ChannelCase, two_channels_are_merged_until_both_have_ended) {
  Rig rig;
  Channel<int> a(rig.loop, 2, "a");
  Channel<int> b(rig.loop, 0, "b");
  std::vector<int> out;
  rig.go(merge(rig.root, a.receiver(), b.receiver(), out));
  EXPECT_TRUE(a.try_send(1));
  rig.idle();
  EXPECT_TRUE(b.try_send(2));
  rig.idle();
  EXPECT_TRUE(a.try_send(3));
  a.close();
  rig.idle();
  EXPECT_TRUE(b.try_send(4));
  rig.idle();
  b.close();
  rig.idle();
  EXPECT_EQ(out, (std::vector<int>{1, 2, 3, 4}));
}

Task<> offer_either(Context& ctx, Sender<int> a, Sender<int> b, std::array<int, 2>& sent) {
  for (int i = 0; i < 10; ++i) {
    auto to_a = send(a, i);
    auto to_b = send(b, i);
    const std::size_t which = co_await select(ctx, to_a, to_b);
    if (which == select_cancelled) co_return;
    ++sent.at(which);
  }
}
Task<> take(Context& ctx, Receiver<int> in, int count, std::vector<int>& out) {
  for (int i = 0; i < count; ++i) {
    Result<int> item = co_await in.receive(ctx);
    if (item) out.push_back(*item);
  }
}

TEST(ChannelCase, an_offer_to_two_is_taken_by_exactly_one) {
  Rig rig;
  Channel<int> a(rig.loop, 0, "a");
  Channel<int> b(rig.loop, 0, "b");
  std::array<int, 2> sent{};
  std::vector<int> out;
  rig.go(offer_either(rig.root, a.sender(), b.sender(), sent));
  rig.idle();
  rig.go(take(rig.root, a.receiver(), 4, out));
  rig.idle();
  rig.go(take(rig.root, b.receiver(), 6, out));
  rig.idle();
  EXPECT_EQ(sent, (std::array<int, 2>{4, 6}));
  EXPECT_EQ(out, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(ChannelCase, two_selects_can_meet_each_other) {
  Rig rig;
  Channel<int> a(rig.loop, 0, "a");
  Channel<int> b(rig.loop, 0, "b");
  std::array<int, 2> sent{};
  std::vector<int> out;
  Context ctx(rig.root);
  rig.go(offer_either(ctx, a.sender(), b.sender(), sent));
  rig.go(merge(ctx, a.receiver(), b.receiver(), out));
  rig.idle();
  EXPECT_EQ(out.size(), 10U);
  EXPECT_EQ(sent[0] + sent[1], 10);
  a.close();
  b.close();
  rig.idle();
}

TEST(ChannelCase, a_select_does_not_meet_itself) {
  Rig rig;
  Channel<int> channel(rig.loop, 0, "self");
  Context ctx(rig.root);
  std::size_t which = 77;
  struct Body {
    static Task<> run(Context& ctx, Channel<int>& channel, std::size_t& which) {
      auto in = receive(channel);
      auto out = send(channel, 1);
      which = co_await select(ctx, in, out);
    }
  };
  rig.go(Body::run(ctx, channel, which));
  rig.idle();
  EXPECT_EQ(which, 77U);
  ctx.cancel();
  rig.idle();
  EXPECT_EQ(which, select_cancelled);
}

TEST(ChannelCase, what_was_granted_to_a_select_beats_a_bell_and_a_cancel_of_the_same_turn) {
  Rig rig;
  Channel<int> channel(rig.loop, 0, "work");
  Bell<> bell(rig.loop, "bell");
  Context ctx(rig.root);
  std::vector<int> got;
  struct Body {
    static Task<> run(Context& ctx, Bell<>& bell, Channel<int>& channel, std::vector<int>& got) {
      auto rung = on(bell);
      auto item = receive(channel);
      const std::size_t which = co_await select(ctx, rung, item);
      if (which == 1) got.push_back(*item.take());
    }
  };
  rig.go(Body::run(ctx, bell, channel, got));
  rig.idle();
  bell.ring();
  EXPECT_TRUE(channel.try_send(5));
  EXPECT_FALSE(channel.try_send(6)) << "the select has its winner";
  ctx.cancel();
  rig.idle();
  EXPECT_EQ(got, (std::vector<int>{5}));
}

TEST(ChannelCase, a_busy_channel_does_not_hide_a_cancel) {
  Rig rig;
  Channel<int> channel(rig.loop, 4, "busy");
  EXPECT_TRUE(channel.try_send(1));
  Context ctx(rig.root);
  ctx.cancel();
  auto item = receive(channel);
  auto wait = select(ctx, item);
  ASSERT_TRUE(wait.await_ready());
  EXPECT_EQ(wait.await_resume(), select_cancelled);
  EXPECT_EQ(channel.size(), 1U);
}

TEST(ChannelCase, a_send_to_a_closed_channel_is_ready_and_says_so) {
  Rig rig;
  Channel<int> channel(rig.loop, 1, "gone");
  channel.close();
  auto out = send(channel, 1);
  auto wait = select(rig.root, out);
  ASSERT_TRUE(wait.await_ready());
  EXPECT_EQ(wait.await_resume(), 0U);
  EXPECT_EQ(out.sent().error().kind(), Error::Kind::closed);
}

struct SelectScenario {
  Channel<int> a;
  Channel<int> b;
  WaitGroup tasks;
  Context child;
  std::array<int, 2> sent{};
  std::vector<int> out;
  SelectScenario(Loop& loop, Context& root)
      : a(loop, 0, "a"), b(loop, 1, "b"), tasks(loop), child(root, loop.now() + seconds(1)) {
    spawn(tasks, "offer", offer_either(child, a.sender(), b.sender(), sent));
    spawn(tasks, "merge", merge(child, a.receiver(), b.receiver(), out));
    spawn(tasks, "take", take(child, a.receiver(), 3, out));
  }
};

TEST(ChannelCase, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<SelectScenario>(), 5);
}

}  // namespace
}  // namespace belfry
