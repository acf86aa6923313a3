#include "system/native.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channels/time/time.hpp"
#include "tests/system/fixture.hpp"

namespace belfry::system {
namespace {

using test::shell;
using test::World;

TEST(NativeProcesses, tells_the_exit_code) {
  World world;
  Launch launch = shell("exit 7");
  pid_t pid = world.spawn(launch);
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.contains(pid); }));
  EXPECT_EQ(world.exits.statuses[pid], (ExitStatus{false, 7, false}));
}

TEST(NativeProcesses, tells_the_signal_that_killed) {
  World world;
  Launch launch = shell("exec sleep 1000");
  pid_t pid = world.spawn(launch);
  EXPECT_TRUE(world.processes.signal(TreeId{pid, {}, 0}, SIGUSR1, Scope::leader));
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.contains(pid); }));
  EXPECT_EQ(world.exits.statuses[pid], (ExitStatus{true, SIGUSR1, false}));
}

TEST(NativeProcesses, a_watcher_may_spawn_again_from_its_call) {
  World world;
  Launch launch = shell("exit 0");
  int left = 20;
  world.exits.also = [&](pid_t) {
    if (--left > 0) world.spawn(launch);
  };
  world.spawn(launch);
  ASSERT_TRUE(world.run_until([&] { return left == 0; }));
}

TEST(NativeProcesses, an_exit_is_never_told_from_inside_spawn) {
  World world;
  Launch launch = shell("exit 0");
  pid_t pid = world.spawn(launch);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);  // it is over already
  EXPECT_TRUE(world.exits.statuses.empty());
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.contains(pid); }));
}

TEST(NativeProcesses, a_disowned_process_is_reaped_in_silence) {
  World world;
  Launch launch = shell("exit 0");
  pid_t quiet = world.spawn(launch);
  world.processes.disown(quiet);
  ASSERT_TRUE(world.run_until([&] { return ::kill(quiet, 0) != 0; }));
  EXPECT_TRUE(world.exits.statuses.empty());
}

TEST(NativeProcesses, a_reaped_leader_is_never_signalled) {
  World world;
  Launch launch = shell("exit 0");
  pid_t pid = world.spawn(launch);
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.contains(pid); }));
  world.kernel.kill_errors.assign(8, ESRCH);  // one for each signal that is sent
  for (Scope scope : {Scope::leader, Scope::group, Scope::tree}) {
    EXPECT_FALSE(world.processes.signal(TreeId{pid, {}, 0}, SIGKILL, scope));
  }
  EXPECT_EQ(world.kernel.kill_errors.size(), 8U);
}

// SIGCONT comes a moment after what asks to end, and most are gone by then.
TEST(NativeProcesses, who_was_reaped_meanwhile_is_not_told_to_go_on) {
  SignalBlock block;
  ManualClock clock;
  Loop loop(clock);
  Signals signals(loop);
  test::FakeSyscalls kernel;
  NativeProcesses processes(loop, signals, kernel);
  test::Exits exits;
  test::Capture output;
  Launch sleeper = shell("exec sleep 1000");
  Launch deaf = shell("trap '' TERM; echo up; exec sleep 1000", &output);
  const pid_t ends = processes.spawn(sleeper, exits).value();
  const pid_t stays = processes.spawn(deaf, exits).value();
  EXPECT_EQ(output.read_line(), "up");
  for (const pid_t pid : {ends, stays})
    EXPECT_TRUE(processes.signal(TreeId{pid, {}, 0}, SIGTERM, Scope::leader));
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(ends), &info, WEXITED | WNOWAIT), 0);
  loop.run_until_idle();
  ASSERT_TRUE(exits.statuses.contains(ends));
  kernel.kill_errors.assign(8, 0);  // one for each signal that is sent
  loop.advance(std::chrono::seconds(1));
  EXPECT_EQ(kernel.kill_errors.size(), 7U) << "to the one that stays";
  ::kill(stays, SIGKILL);
  ::waitpid(stays, nullptr, 0);
}

TEST(NativeProcesses, a_stopped_process_gets_to_see_its_sigterm) {
  World world;
  Launch launch = shell("exec sleep 1000");
  pid_t pid = world.spawn(launch);
  world.processes.signal(TreeId{pid, {}, 0}, SIGSTOP, Scope::group);
  world.processes.signal(TreeId{pid, {}, 0}, SIGTERM, Scope::group);
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.contains(pid); }));
  EXPECT_EQ(world.exits.statuses[pid].value, SIGTERM);
}

TEST(NativeProcesses, a_failed_clone_leaves_no_trace_and_the_next_one_works) {
  World world;
  world.kernel.clone_errors = {EAGAIN};
  Launch launch = shell("exit 0");
  auto refused = world.processes.spawn(launch, world.exits);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(
      refused.error().text("x").starts_with("clone: Resource temporarily unavailable: x (the limit of "
                                            "processes and threads is reached: RLIMIT_NPROC"));
  pid_t pid = world.spawn(launch);
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.contains(pid); }));
}

TEST(NativeProcesses, a_command_that_fails_to_start_disturbs_no_other_childs_exit) {
  World world;
  Launch good = shell("exit 3");
  Launch bad;
  bad.set_command(std::vector<std::string>{"/no/such/thing"});
  pid_t pid = world.spawn(good);
  EXPECT_FALSE(world.processes.spawn(bad, world.exits));
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.contains(pid); }));
  EXPECT_EQ(world.exits.statuses.size(), 1U);
  EXPECT_EQ(world.exits.statuses[pid].value, 3);
}

}  // namespace
}  // namespace belfry::system
