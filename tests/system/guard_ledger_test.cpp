// What belfry's guard is told.
#include "system/guard_ledger.hpp"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace belfry::system {
namespace {

// A child that waits to be killed.
struct Child {
  Child() : pid(::fork()) {
    if (pid == 0)
      for (;;) ::pause();
  }
  ~Child() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  pid_t pid;
};

TEST(GuardLedger, knows_who_was_added_until_he_is_removed) {
  GuardLedger ledger;
  const Child child;
  EXPECT_FALSE(ledger.has_session(child.pid));
  ledger.add(child.pid);
  EXPECT_TRUE(ledger.has_session(child.pid));
  ledger.remove(child.pid);
  EXPECT_FALSE(ledger.has_session(child.pid));
}

TEST(GuardLedger, a_session_outlives_its_leader) {
  GuardLedger ledger;
  pid_t gone = 0;
  {
    const Child child;
    gone = child.pid;
    ledger.add(gone);
  }
  EXPECT_TRUE(ledger.has_session(gone));
}

TEST(GuardLedger, of_two_in_one_place_the_newer_one_is_known) {
  GuardLedger ledger;
  const Child child;
  ledger.add(child.pid + (1 << 16));
  ledger.add(child.pid);
  EXPECT_TRUE(ledger.has_session(child.pid));
  EXPECT_FALSE(ledger.has_session(child.pid + (1 << 16)));
  ledger.remove(child.pid + (1 << 16));
  EXPECT_TRUE(ledger.has_session(child.pid));
}

TEST(GuardLedger, names_everybody_who_was_not_removed) {
  GuardLedger ledger;
  EXPECT_THAT(ledger.leaders(), testing::IsEmpty());
  for (const pid_t leader : {4711, 12, 70000}) ledger.add(leader);
  ledger.remove(12);
  EXPECT_THAT(ledger.leaders(), testing::UnorderedElementsAre(4711, 70000));
}

TEST(GuardLedger, nobody_is_in_session_0) {
  const GuardLedger ledger;
  EXPECT_FALSE(ledger.has_session(0));
  EXPECT_FALSE(ledger.has_session(-1));
}

TEST(GuardLedger, another_process_reads_what_was_written) {
  GuardLedger ledger;
  ledger.set_cgroup("/sys/fs/cgroup/x");
  ledger.set_cgroup(std::string(5000, 'x'));  // too long: the last one stays
  const pid_t reader = ::fork();
  if (reader == 0) ::_exit(ledger.cgroup() == "/sys/fs/cgroup/x" ? 0 : 1);
  int status = -1;
  ::waitpid(reader, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace belfry::system
