// The guard, beside a stand-in for belfry that dies as slowly as the test wants.
#include "system/guard.hpp"

#include <gtest/gtest.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace belfry::system {
namespace {

constexpr int patience = 20'000;  // ms

[[noreturn]] void wait_to_be_killed() {
  for (;;) ::pause();
}

void close_everything() { ::syscall(SYS_close_range, 3, ~0U, 0); }

// As belfry in the middle of its death: its pipes are closed, its children have not been told yet. It has
// cloned one that the guard cannot know: a session of its own, and an environment without the word.
[[noreturn]] void die_slowly(int tell) {
  const auto guard = Guard::start();
  if (!guard) ::_exit(1);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    close_everything();
    wait_to_be_killed();
  }
  if (::write(tell, &child, sizeof child) != sizeof child) ::_exit(2);
  close_everything();
  wait_to_be_killed();
}

bool ends(pid_t pid) {
  const int held = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (held < 0) return true;
  pollfd ended{.fd = held, .events = POLLIN, .revents = 0};
  const bool has_ended = ::poll(&ended, 1, patience) == 1;
  ::close(held);
  return has_ended;
}

TEST(Guard, finds_whom_a_belfry_that_is_still_dying_has_just_cloned) {
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t belfry = ::fork();
  if (belfry == 0) die_slowly(told[1]);
  ::close(told[1]);
  pid_t child = 0;
  ASSERT_EQ(::read(told[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  ::close(told[0]);
  EXPECT_TRUE(ends(child)) << "left: " << child;
  ::kill(belfry, SIGKILL);
  ::kill(child, SIGKILL);
  ::waitpid(belfry, nullptr, 0);
}

}  // namespace
}  // namespace belfry::system
