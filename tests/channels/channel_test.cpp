#include "channels/channel.hpp"

#include <memory>

#include "channels/channel_case.hpp"
#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

Task<> produce(Context& ctx, Sender<int> out, int from, int to, std::string& log) {
  for (int i = from; i < to; ++i) {
    Result<void> sent = co_await out.send(ctx, i);
    log += sent ? "s" + std::to_string(i) + ";" : "s:" + sent.error().text() + ";";
    if (!sent) co_return;
  }
}
Task<> consume(Context& ctx, Receiver<int> in, std::string& log) {
  while (Result<int> item = co_await in.receive(ctx)) log += "r" + std::to_string(*item) + ";";
  log += "end;";
}
Task<> receive_one(Context& ctx, Receiver<int> in, std::string& log) {
  Result<int> item = co_await in.receive(ctx);
  log += item ? "r" + std::to_string(*item) + ";" : "r:" + item.error().text() + ";";
}

TEST(Channel, without_a_buffer_sender_and_receiver_meet_before_either_goes_on) {
  Rig rig;
  Channel<int> channel(rig.loop, 0, "rendezvous");
  std::string sender_log;
  std::string receiver_log;
  rig.go(produce(rig.root, channel.sender(), 1, 2, sender_log));
  rig.idle();
  EXPECT_EQ(sender_log, "") << "nobody took it yet";
  rig.go(receive_one(rig.root, channel.receiver(), receiver_log));
  rig.idle();
  EXPECT_EQ(sender_log, "s1;");
  EXPECT_EQ(receiver_log, "r1;");
}

TEST(Channel, a_receiver_that_was_there_first_is_met_as_well) {
  Rig rig;
  Channel<int> channel(rig.loop, 0, "rendezvous");
  std::string log;
  rig.go(receive_one(rig.root, channel.receiver(), log));
  rig.idle();
  rig.go(produce(rig.root, channel.sender(), 7, 8, log));
  rig.idle();
  EXPECT_EQ(log, "s7;r7;");
}

TEST(Channel, with_a_buffer_send_waits_only_when_it_is_full_and_order_is_kept) {
  Rig rig;
  Channel<int> channel(rig.loop, 2, "queue");
  std::string log;
  rig.go(produce(rig.root, channel.sender(), 0, 4, log));
  rig.idle();
  EXPECT_EQ(log, "s0;s1;");
  EXPECT_EQ(channel.size(), 2U);
  log.clear();
  rig.go(consume(rig.root, channel.receiver(), log));
  rig.idle();
  EXPECT_EQ(channel.size(), 0U);
  channel.close();
  rig.idle();
  std::string received;
  for (std::size_t at = log.find('r'); at != std::string::npos; at = log.find('r', at + 1))
    received += log[at + 1];
  EXPECT_EQ(received, "0123");
  EXPECT_TRUE(log.ends_with("end;"));
}

TEST(Channel, close_drains_and_then_ends) {
  Rig rig;
  Channel<int> channel(rig.loop, 3, "queue");
  for (int i : {1, 2, 3}) EXPECT_TRUE(channel.try_send(i));
  EXPECT_TRUE(channel.close());
  EXPECT_FALSE(channel.close()) << "twice is harmless";
  std::string log;
  rig.go(consume(rig.root, channel.receiver(), log));
  rig.idle();
  EXPECT_EQ(log, "r1;r2;r3;end;");
}

TEST(Channel, close_releases_those_who_wait_on_both_sides) {
  Rig rig;
  Channel<int> empty(rig.loop, 0, "empty");
  Channel<int> full(rig.loop, 0, "full");
  std::string log;
  rig.go(receive_one(rig.root, empty.receiver(), log));
  rig.go(produce(rig.root, full.sender(), 1, 2, log));
  rig.idle();
  empty.close();
  full.close();
  rig.idle();
  EXPECT_EQ(
      log,
      "r:cannot receive from channel 'empty': it is closed;s:cannot send on channel 'full': it is closed;");
}

TEST(Channel, sending_on_a_closed_one_is_an_error_value_of_kind_closed) {
  Rig rig;
  Channel<int> channel(rig.loop, 1, "queue");
  channel.close();
  auto send = channel.send(rig.root, 1);
  ASSERT_TRUE(send.await_ready());
  Result<void> sent = send.await_resume();
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind(), Error::Kind::closed);
  EXPECT_FALSE(channel.try_send(1));
}

TEST(Channel, a_cancel_ends_the_wait_and_leaves_the_channel_alone) {
  Rig rig;
  Channel<int> channel(rig.loop, 0, "rendezvous");
  Context child(rig.root);
  std::string log;
  rig.go(receive_one(child, channel.receiver(), log));
  rig.go(receive_one(rig.root, channel.receiver(), log));
  rig.idle();
  child.cancel(Error::cancelled("enough"));
  rig.idle();
  EXPECT_EQ(log, "r:enough;");
  EXPECT_TRUE(channel.try_send(5));
  rig.idle();
  EXPECT_EQ(log, "r:enough;r5;");
}

TEST(Channel, a_value_that_was_handed_over_is_not_lost_to_a_cancel_of_the_same_turn) {
  for (bool hand_over_first : {true, false}) {
    Rig rig;
    Channel<int> channel(rig.loop, 0, "rendezvous");
    Context child(rig.root);
    std::string log;
    rig.go(receive_one(child, channel.receiver(), log));
    rig.idle();
    bool sent = false;
    if (hand_over_first) sent = channel.try_send(5);
    child.cancel();
    if (!hand_over_first) sent = channel.try_send(5);
    rig.idle();
    EXPECT_EQ(sent, hand_over_first);
    EXPECT_EQ(log, sent ? "r5;" : "r:cancelled;");
  }
}

TEST(Channel, a_sender_whose_value_was_taken_has_sent_it_cancelled_or_not) {
  Rig rig;
  Channel<int> channel(rig.loop, 0, "rendezvous");
  Context child(rig.root);
  std::string log;
  rig.go(produce(child, channel.sender(), 3, 5, log));
  rig.idle();
  EXPECT_EQ(channel.try_receive(), 3);
  child.cancel();
  rig.idle();
  EXPECT_EQ(log, "s3;s:cancelled;");
}

TEST(Channel, on_a_cancelled_context_nothing_is_taken_however_much_is_there) {
  Rig rig;
  Channel<int> channel(rig.loop, 2, "queue");
  EXPECT_TRUE(channel.try_send(1));
  Context child(rig.root);
  child.cancel();
  std::string log;
  rig.go(receive_one(child, channel.receiver(), log));
  rig.go(produce(child, channel.sender(), 9, 10, log));
  rig.idle();
  EXPECT_EQ(log, "r:cancelled;s:cancelled;");
  EXPECT_EQ(channel.size(), 1U);
}

TEST(Channel, values_need_neither_copies_nor_defaults) {
  struct Stubborn {
    explicit Stubborn(int n) : number(std::make_unique<int>(n)) {}
    std::unique_ptr<int> number;
  };
  Rig rig;
  Channel<Stubborn> channel(rig.loop, 3, "stubborn");
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(channel.try_send(Stubborn(i)));
    EXPECT_TRUE(channel.try_send(Stubborn(i + 100)));
    EXPECT_EQ(*channel.try_receive()->number, i);
    EXPECT_EQ(*channel.try_receive()->number, i + 100);
  }
  EXPECT_TRUE(channel.try_send(Stubborn(1)));  // dropped with the channel
}

template <class Ends>
concept CanClose = requires(Ends ends) { ends.close(); };
template <class Ends>
concept CanReceive = requires(Ends ends) { ends.try_receive(); };
template <class Ends>
concept CanSend = requires(Ends ends, int value) { ends.try_send(value); };

TEST(Channel, its_ends_are_directional_by_type) {
  static_assert(!CanClose<Sender<int>> && !CanClose<Receiver<int>>);
  static_assert(!CanReceive<Sender<int>> && CanSend<Sender<int>>);
  static_assert(CanReceive<Receiver<int>> && !CanSend<Receiver<int>>);
}

TEST(Channel, a_nil_end_is_never_ready) {
  Rig rig;
  auto nil_in = receive(Receiver<int>());
  auto nil_out = send(Sender<int>(), 1);
  auto none = otherwise();
  auto wait = select(rig.root, nil_in, nil_out, none);
  ASSERT_TRUE(wait.await_ready());
  EXPECT_EQ(wait.await_resume(), 2U);
}

TEST(ChannelDeathTest, destroying_it_with_a_receiver_names_it) {
  EXPECT_DEATH(
      {
        Rig rig;
        Channel<int> channel(rig.loop, 0, "orders");
        std::string log;
        rig.go(receive_one(rig.root, channel.receiver(), log));
        rig.idle();
      },
      "cannot destroy channel 'orders': a task still waits for it");
}

template <std::size_t capacity>
struct ChannelScenario {
  Context child;
  Channel<int> channel;
  WaitGroup tasks;
  std::string log;
  ChannelScenario(Loop& loop, Context& root) : child(root), channel(loop, capacity, "scenario"), tasks(loop) {
    spawn(tasks, "producer", produce(root, channel.sender(), 0, 3, log));
    spawn(tasks, "cancelled producer", produce(child, channel.sender(), 10, 13, log));
    spawn(tasks, "consumer", consume(root, channel.receiver(), log));
    spawn(tasks, "closer", close(root, child, channel));
  }
  static Task<> close(Context& root, Context& child, Channel<int>& channel) {
    (void)co_await sleep_for(root, seconds(1));
    child.cancel();
    (void)co_await sleep_for(root, seconds(1));
    channel.close();
  }
};

TEST(Channel, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<ChannelScenario<0>>(), 5);
  EXPECT_GT(test::abandon_at_every_step<ChannelScenario<2>>(), 5);
}

}  // namespace
}  // namespace belfry
