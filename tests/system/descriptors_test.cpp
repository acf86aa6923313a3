#include "system/descriptors.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

namespace belfry::testing {
namespace {

long slots_in_the_table() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("FDSize:")) return std::stol(line.substr(7));
  }
  return 0;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

TEST(Descriptors, room_is_made_without_keeping_a_descriptor) {
  system::raise_descriptor_limit();
  const std::size_t before = open_descriptors();
  system::make_room_for_descriptors(3000);
  EXPECT_GE(slots_in_the_table(), 3000);
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Descriptors, more_room_than_the_limit_allows_is_cut_to_it) {
  system::make_room_for_descriptors(~std::size_t{0});
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_GE(slots_in_the_table(), static_cast<long>(std::min<rlim_t>(limit.rlim_cur, rlim_t{1} << 20)));
}

TEST(Descriptors, a_root_without_dev_null_has_something_that_is_empty_and_stays_so) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to change the root directory";
  const pid_t pid = ::fork();
  if (pid == 0) {
    char byte = 0;
    if (::chroot("/proc/self/fdinfo") != 0) ::_exit(1);
    const int null = system::open_null();
    if (null < 0 || (::fcntl(null, F_GETFD) & FD_CLOEXEC) == 0) ::_exit(2);
    if (::read(null, &byte, 1) != 0) ::_exit(3);
    ::_exit(::write(null, &byte, 1) == -1 && errno == EPERM ? 0 : 4);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace belfry::testing
