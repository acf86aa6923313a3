#include "system/signals.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "channels/bell.hpp"
#include "channels/loop.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

namespace belfry::system {
namespace {

struct Heard final : SignalListener {
  void on_signal(const SignalEvent& event) override { events.push_back(event); }
  std::vector<SignalEvent> events;
};

class SignalsTest : public testing::Test {
 protected:
  SignalBlock block;
  Loop loop;
};

TEST_F(SignalsTest, a_signal_before_the_loop_turns_is_not_lost) {
  ::kill(::getpid(), SIGTERM);
  Signals signals(loop);
  Heard heard;
  signals.set_listener(&heard);
  loop.run_until_idle();
  ASSERT_EQ(heard.events.size(), 1U);
  EXPECT_EQ(heard.events[0].number, SIGTERM);
  EXPECT_EQ(heard.events[0].sender, ::getpid());
}

TEST_F(SignalsTest, what_comes_while_nobody_listens_is_kept) {
  Signals signals(loop);
  ::kill(::getpid(), SIGINT);
  loop.run_until_idle();
  ::kill(::getpid(), SIGINT);
  loop.run_until_idle();
  Heard heard;
  signals.set_listener(&heard);
  EXPECT_TRUE(heard.events.empty());
  loop.run_until_idle();
  EXPECT_EQ(heard.events.size(), 2U);
}

TEST_F(SignalsTest, child_signals_go_to_their_own_listener) {
  Signals signals(loop);
  Heard children, others;
  signals.set_listener(&others);
  signals.set_child_listener(&children);
  ::kill(::getpid(), SIGCHLD);
  ::kill(::getpid(), SIGHUP);
  loop.run_until_idle();
  ASSERT_EQ(children.events.size(), 1U);
  ASSERT_EQ(others.events.size(), 1U);
  EXPECT_EQ(others.events[0].number, SIGHUP);
}

TEST_F(SignalsTest, real_time_signals_do_not_coalesce) {
  Signals signals(loop);
  Heard heard;
  signals.set_listener(&heard);
  for (int i = 0; i < 100; ++i) ::kill(::getpid(), SIGRTMIN + 1);
  loop.run_until_idle();
  EXPECT_EQ(heard.events.size(), 100U);
}

TEST_F(SignalsTest, a_broken_pipe_is_an_error_not_a_death) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  ::close(ends[1]);
}

TEST_F(SignalsTest, nobody_is_called_after_the_destructor_whichever_of_loop_and_signals_goes_first) {
  Heard heard;
  {
    Signals signals(loop);
    signals.set_listener(&heard);
    ::kill(::getpid(), SIGUSR1);
  }
  loop.run_until_idle();
  EXPECT_TRUE(heard.events.empty());
  Signals again(loop);  // takes the pending one out of the process
  loop.run_until_idle();
  loop.abandon();
}

TEST(SignalBlock, gives_the_mask_back) {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    SignalBlock block;
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

TEST(SignalBlock, counts_sigpipe_as_ignored_for_children) {
  EXPECT_EQ(sigismember(&SignalBlock::entry().ignored, SIGPIPE), 1);
}

Task<> wait_for_ever(Context& ctx, Bell<>& bell) { (void)co_await bell.wait(ctx); }

TEST_F(SignalsTest, in_the_background_they_keep_no_loop_awake_and_are_heard_all_the_same) {
  Signals signals(loop);
  Heard heard;
  signals.set_listener(&heard);
  Context root(loop);
  Bell<> bell(loop, "never rung");
  WaitGroup tasks(loop);
  spawn(tasks, "sleeper", wait_for_ever(root, bell));
  signals.wait_in_background();
  EXPECT_EQ(loop.run(), RunEnd::asleep);
  for (std::size_t i = 1; i <= 2; ++i) {
    ::kill(::getpid(), SIGTERM);
    EXPECT_EQ(loop.run(), RunEnd::asleep);
    EXPECT_EQ(heard.events.size(), i);
  }
  bell.ring();
  EXPECT_EQ(loop.run(), RunEnd::finished);
}

}  // namespace
}  // namespace belfry::system
