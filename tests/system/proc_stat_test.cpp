#include "system/proc_stat.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "system/proc.hpp"
#include "system/process_identity.hpp"

namespace belfry::system {
namespace {

TEST(StatLine, the_fields_are_counted_from_behind_the_name) {
  const proc::StatLine line(::getpid());
  ASSERT_TRUE(line);
  EXPECT_EQ(line.state(), 'R');
  EXPECT_EQ(line.number<pid_t>(4), ::getppid());
  EXPECT_EQ(line.number<pid_t>(6), ::getsid(0));
  EXPECT_FALSE(line.number<pid_t>(100));
}

TEST(StatLine, a_name_may_hold_blanks_parentheses_and_digits) {
  char before[16];
  ::prctl(PR_GET_NAME, before);
  ::prctl(PR_SET_NAME, "a) S 1 (b) 2");
  const proc::StatLine line(::getpid());
  ::prctl(PR_SET_NAME, before);
  EXPECT_EQ(line.name(), "a) S 1 (b) 2");
  EXPECT_EQ(line.number<pid_t>(4), ::getppid());
}

TEST(StatLine, of_who_is_gone_there_is_none) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  const proc::StatLine line(child);
  EXPECT_FALSE(line);
  EXPECT_EQ(line.state(), 0);
  EXPECT_FALSE(line.number<pid_t>(4));
  EXPECT_FALSE(proc::StatLine(0)) << "0 is nobody, and not this process";
}

TEST(StatLine, this_process_has_a_name_of_its_own) {
  EXPECT_EQ(proc::born_at(proc::self), proc::born_at(::getpid()));
}

TEST(Ancestry, the_nearest_above_is_found_and_oneself_is_not_among_them) {
  const auto anybody = [](pid_t) { return true; };
  EXPECT_EQ(proc::nearest_above(::getpid(), anybody), ::getppid());
  EXPECT_EQ(proc::nearest_above(::getpid(), [](pid_t pid) { return pid == ::getpid(); }), 0);
  EXPECT_EQ(proc::nearest_above(::getpid(), anybody, 0), 0) << "no step was allowed";
  EXPECT_EQ(proc::nearest_above(1, anybody), 0);
}

TEST(ProcessIdentity, a_number_with_another_birth_is_somebody_else) {
  const auto own = identity_of(::getpid());
  ASSERT_TRUE(own);
  EXPECT_TRUE(is_still(*own));
  EXPECT_FALSE(is_still({.pid = own->pid, .born = own->born + 1}));
  EXPECT_FALSE(is_still({.pid = own->pid, .born = 0})) << "an unknown birth confirms nobody";
}

TEST(ProcessIdentity, of_who_is_gone_there_is_none) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  const auto as_a_zombie = identity_of(child);
  ASSERT_TRUE(as_a_zombie);
  EXPECT_TRUE(is_still(*as_a_zombie));
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(identity_of(child));
  EXPECT_FALSE(is_still(*as_a_zombie));
}

}  // namespace
}  // namespace belfry::system
