#include "system/process_handle.hpp"

#include <gtest/gtest.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "system/syscalls.hpp"

namespace belfry::system {
namespace {

using namespace std::chrono_literals;

// A fork whose child has this number (clone3(2), `set_tid`), which must be free.
pid_t fork_as(pid_t number) {
  clone_args how{};
  how.exit_signal = SIGCHLD;
  how.set_tid = reinterpret_cast<std::uintptr_t>(&number);
  how.set_tid_size = 1;
  return static_cast<pid_t>(::syscall(SYS_clone3, &how, sizeof how));
}

// A process that waits until it is killed.
class Child {
 public:
  Child() : Child(::fork()) {}
  explicit Child(pid_t forked) : pid_(forked) {
    if (pid_ != 0) return;
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::signal(SIGABRT, SIG_DFL);
    for (;;) ::pause();
  }
  ~Child() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    reap();
  }
  int reap() {
    int status = 0;
    if (pid_ > 0) ::waitpid(std::exchange(pid_, 0), &status, 0);
    return status;
  }
  void stop() const {
    ::kill(pid_, SIGSTOP);
    int status = 0;
    ::waitpid(pid_, &status, WUNTRACED);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST(ProcessHandle, the_end_is_told_and_left_for_the_reaper_to_take) {
  Child child;
  const auto process = ProcessHandle::open(child.pid());
  ASSERT_TRUE(process);
  EXPECT_FALSE(process->has_ended());
  EXPECT_EQ(process->peek_status(), std::nullopt);
  EXPECT_TRUE(process->signal(SIGKILL));
  wait_until_one_has_ended(std::span(&*process, 1), 10s);
  EXPECT_TRUE(process->has_ended());
  EXPECT_EQ(process->peek_status(), (ExitStatus{.signaled = true, .value = SIGKILL}));
  EXPECT_TRUE(WIFSIGNALED(child.reap()));
}

TEST(ProcessHandle, of_who_is_gone_there_is_none) {
  Child child;
  const pid_t pid = child.pid();
  ::kill(pid, SIGKILL);
  child.reap();
  EXPECT_EQ(ProcessHandle::open(pid).error(), ESRCH);
}

TEST(ProcessHandle, a_signal_reaches_nobody_when_the_process_was_reaped) {
  Child child;
  const auto process = ProcessHandle::open(child.pid());
  ASSERT_TRUE(process);
  ::kill(child.pid(), SIGKILL);
  child.reap();
  EXPECT_FALSE(process->signal(SIGTERM));
}

TEST(ProcessHandle, whoever_has_been_given_the_number_meanwhile_is_somebody_else) {
  Child child;
  const pid_t number = child.pid();
  const auto process = ProcessHandle::open(number);
  ASSERT_TRUE(process);
  ::kill(number, SIGKILL);
  child.reap();
  const pid_t forked = fork_as(number);
  if (forked < 0 && errno == EPERM) GTEST_SKIP() << "needs CAP_CHECKPOINT_RESTORE";
  const Child another(forked);
  ASSERT_EQ(another.pid(), number);
  EXPECT_TRUE(process->has_ended());
  EXPECT_FALSE(process->signal(SIGKILL));
  EXPECT_EQ(::waitpid(number, nullptr, WNOHANG), 0) << "it lives";
}

TEST(ProcessHandle, what_asks_to_end_is_acted_on_by_a_stopped_process_too) {
  for (const int signo : {SIGTERM, SIGABRT}) {
    Child child;
    const auto process = ProcessHandle::open(child.pid());
    ASSERT_TRUE(process);
    child.stop();
    EXPECT_TRUE(process->signal(signo));
    EXPECT_EQ(WTERMSIG(child.reap()), signo);
  }
}

TEST(ProcessHandle, nobody_is_waited_for_when_there_is_nobody) {
  wait_until_one_has_ended({}, std::chrono::hours(1));
}

TEST(SendSignal, what_asks_to_end_is_followed_by_a_continuation_and_nothing_else_is) {
  for (const int signo : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT})
    EXPECT_TRUE(asks_to_end(signo)) << signo;
  for (const int signo : {SIGKILL, SIGUSR1, SIGCHLD, SIGSTOP}) EXPECT_FALSE(asks_to_end(signo)) << signo;
  Child child;
  child.stop();
  EXPECT_TRUE(ask_to_end(Syscalls::real(), child.pid(), SIGUSR1)) << "whatever its stop signal is";
  EXPECT_EQ(WTERMSIG(child.reap()), SIGUSR1);
}

}  // namespace
}  // namespace belfry::system
