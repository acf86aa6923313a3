#include "system/inherited_descriptors.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace belfry::system {
namespace {

using Names = std::vector<std::string>;

constexpr ProcessNumbers self{.pid = 42, .pidfd_id = 7001};

ListenVariables said(std::string_view pid, std::string_view count,
                     std::optional<std::string_view> names = {}) {
  return {.pid = pid, .pidfd_id = {}, .count = count, .names = names};
}

TEST(InheritedNames, are_those_of_the_variable_in_its_order) {
  EXPECT_EQ(inherited_names(said("42", "2", "http:app"), self), (Names{"http", "app"}));
}

TEST(InheritedNames, what_has_no_name_is_unknown) {
  EXPECT_EQ(inherited_names(said("42", "2"), self), (Names{"unknown", "unknown"}));
  EXPECT_EQ(inherited_names(said("42", "3", "a"), self), (Names{"a", "unknown", "unknown"}));
  EXPECT_EQ(inherited_names(said("42", "3", ":b:"), self), (Names{"unknown", "b", "unknown"}));
  EXPECT_EQ(inherited_names(said("42", "1", "a:b"), self), (Names{"a"})) << "a name too many is of nothing";
}

TEST(InheritedNames, what_is_meant_for_another_process_is_not_ours) {
  EXPECT_EQ(inherited_names(said("43", "1", "a"), self), Names{});
  EXPECT_EQ(inherited_names(said("", "1", "a"), self), Names{});
  EXPECT_EQ(inherited_names(said("42x", "1", "a"), self), Names{});
  EXPECT_EQ(inherited_names({.pid = {}, .pidfd_id = {}, .count = "1", .names = {}}, self), Names{});
}

TEST(InheritedNames, a_count_that_is_none_passes_nothing) {
  for (const char* count : {"", "0", "-1", "x", "1x", "99999999", "99999999999999999999"})
    EXPECT_EQ(inherited_names(said("42", count, "a"), self), Names{}) << count;
}

TEST(InheritedNames, the_number_of_the_pidfd_tells_a_process_from_one_that_had_its_pid_before) {
  ListenVariables variables = said("42", "1", "a");
  variables.pidfd_id = "7001";
  EXPECT_EQ(inherited_names(variables, self), Names{"a"});
  for (const char* other : {"7002", "", "x"}) {
    variables.pidfd_id = other;
    EXPECT_EQ(inherited_names(variables, self), Names{}) << other;
  }
  constexpr ProcessNumbers of_an_old_kernel{.pid = 42, .pidfd_id = 0};
  EXPECT_EQ(inherited_names(variables, of_an_old_kernel), Names{"a"}) << "there the pid has to do";
}

TEST(ProcessNumbers, of_another_process_are_others) {
  const ProcessNumbers own = ProcessNumbers::of_this_process();
  EXPECT_EQ(own.pid, ::getpid());
  EXPECT_EQ(own.pidfd_id, ProcessNumbers::of_this_process().pidfd_id);
  const pid_t child = ::fork();
  if (child == 0) {
    const ProcessNumbers its = ProcessNumbers::of_this_process();
    ::_exit(its.pid != own.pid && (own.pidfd_id == 0 || its.pidfd_id != own.pidfd_id) ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// In a child: descriptor 3 of the test itself may be anything.
int in_a_child_with(int descriptors, const char* count, int (*look)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (int fd = 3; fd < 20; ++fd) ::close(fd);
    for (int i = 0; i < descriptors; ++i) (void)::open("/dev/null", O_RDONLY);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", count, 1);
    ::setenv("LISTEN_FDNAMES", "a:b", 1);
    ::unsetenv("LISTEN_PIDFDID");
    ::_exit(look());
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST(InheritedDescriptors, are_taken_over_from_3_up_and_no_child_inherits_them) {
  EXPECT_EQ(in_a_child_with(2, "2",
                            [] {
                              const auto taken = take_inherited_descriptors();
                              const bool fits = taken.size() == 2 && taken[0].fd.get() == 3 &&
                                                taken[0].name == "a" && taken[1].fd.get() == 4 &&
                                                taken[1].name == "b";
                              return fits && (::fcntl(3, F_GETFD) & FD_CLOEXEC) != 0 &&
                                             (::fcntl(4, F_GETFD) & FD_CLOEXEC) != 0
                                         ? 0
                                         : 1;
                            }),
            0);
}

TEST(InheritedDescriptors, fewer_than_were_promised_are_as_many_as_there_are) {
  EXPECT_EQ(in_a_child_with(1, "2", [] { return take_inherited_descriptors().size() == 1 ? 0 : 1; }), 0);
}

}  // namespace
}  // namespace belfry::system
