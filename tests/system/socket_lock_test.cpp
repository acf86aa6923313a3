// Two who want the same path, step by step: each is a SocketLock of this process, whose locks count as if
// they were another's.
#include "system/socket_lock.hpp"

#include <fcntl.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

namespace belfry::system {
namespace {

using testing::HasSubstr;

struct SocketLockTest : testing::Test {
  std::string directory = (std::filesystem::temp_directory_path() / "belfry-lock-XXXXXX").string();
  std::string path, lock_file;

  SocketLockTest() {
    EXPECT_NE(::mkdtemp(directory.data()), nullptr);
    path = directory + "/c.sock";
    lock_file = path + ".lock";
  }
  ~SocketLockTest() override { std::filesystem::remove_all(directory); }

  [[nodiscard]] OwnedFd bind_here() const {
    OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  [[nodiscard]] std::string refusal() const {
    const auto taken = SocketLock::take(path);
    return taken ? "" : taken.error().text();
  }
};

TEST_F(SocketLockTest, the_second_is_refused_from_the_first_moment_on_and_told_by_whom) {
  const auto first = SocketLock::take(path);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_THAT(refusal(),
              HasSubstr("another belfry is just starting there (pid " + std::to_string(::getpid())));
}

TEST_F(SocketLockTest, the_second_is_refused_while_the_socket_of_the_first_is_there) {
  auto first = SocketLock::take(path);
  ASSERT_TRUE(first);
  const OwnedFd socket = bind_here();
  first->bound();
  EXPECT_THAT(refusal(), HasSubstr("another belfry answers there (pid " + std::to_string(::getpid())));
  struct stat status{};
  ASSERT_EQ(::stat(lock_file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(SocketLockTest, the_end_takes_the_socket_and_the_lock_file_along) {
  {
    auto first = SocketLock::take(path);
    const OwnedFd socket = bind_here();
    first->bound();
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  EXPECT_TRUE(SocketLock::take(path));
}

TEST_F(SocketLockTest, what_a_killed_one_left_behind_is_no_obstacle) {
  std::ofstream(lock_file) << "4711 1 2\n";
  const OwnedFd stale = bind_here();
  const auto next = SocketLock::take(path);
  ASSERT_TRUE(next) << next.error().text();
  EXPECT_EQ(next->predecessor(), 0);
  EXPECT_THAT(refusal(), HasSubstr("just starting")) << "the dead one's words are not the new owner's";
}

TEST_F(SocketLockTest, who_lost_his_socket_is_succeeded_and_leaves_the_successors_alone) {
  std::optional<SocketLock> first(std::move(*SocketLock::take(path)));
  const OwnedFd lost = bind_here();
  first->bound();
  std::filesystem::remove(path);
  auto second = SocketLock::take(path);
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(second->predecessor(), ::getpid());
  const OwnedFd socket = bind_here();
  second->bound();
  EXPECT_THAT(refusal(), HasSubstr("answers there")) << "one successor, not two";
  first.reset();
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(std::filesystem::exists(lock_file));
  EXPECT_THAT(refusal(), HasSubstr("answers there"));
}

TEST_F(SocketLockTest, a_socket_that_another_one_replaced_is_lost_too) {
  auto first = SocketLock::take(path);
  const OwnedFd lost = bind_here();
  first->bound();
  std::filesystem::remove(path);
  const OwnedFd other = bind_here();
  const auto second = SocketLock::take(path);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->predecessor(), ::getpid());
}

TEST_F(SocketLockTest, without_the_lock_file_too_the_first_keeps_what_is_its_own_only) {
  std::optional<SocketLock> first(std::move(*SocketLock::take(path)));
  const OwnedFd lost = bind_here();
  first->bound();
  std::filesystem::remove(path);
  std::filesystem::remove(lock_file);
  auto second = SocketLock::take(path);
  ASSERT_TRUE(second);
  const OwnedFd socket = bind_here();
  second->bound();
  first.reset();
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_TRUE(std::filesystem::exists(lock_file));
}

TEST_F(SocketLockTest, a_lock_file_that_is_a_link_or_no_file_is_not_followed) {
  const std::string precious = directory + "/precious";
  std::ofstream(precious) << "text";
  std::filesystem::create_symlink(precious, lock_file);
  EXPECT_THAT(refusal(), HasSubstr("remove it"));
  std::filesystem::remove(lock_file);
  std::filesystem::create_directory(lock_file);
  EXPECT_THAT(refusal(), HasSubstr("cannot lock " + lock_file));
  std::filesystem::remove(lock_file);
  std::filesystem::create_hard_link(precious, lock_file);
  EXPECT_THAT(refusal(), HasSubstr("remove it"));
  EXPECT_EQ(std::filesystem::file_size(precious), 4U);
}

TEST_F(SocketLockTest, a_missing_directory_is_told_with_the_next_step) {
  EXPECT_THAT(SocketLock::take("/nowhere/at/all.sock").error().text(), HasSubstr("make the directory first"));
}

// Eight processes at once, again and again, with what the last one left behind in the way.
TEST_F(SocketLockTest, of_many_at_the_same_moment_one_wins) {
  for (int round = 0; round < 30; ++round) {
    int start[2], done[2];
    ASSERT_EQ(::pipe2(start, O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(done, O_CLOEXEC), 0);
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
      const pid_t child = children.emplace_back(::fork());
      if (child != 0) continue;
      ::close(start[1]);
      char byte = 0;
      static_cast<void>(::read(start[0], &byte, 1));  // until all are there
      const auto taken = SocketLock::take(path);
      static_cast<void>(::write(done[1], taken ? "w" : "l", 1));
      ::close(done[1]);
      if (taken) ::pause();  // killed: it leaves its lock file behind
      ::_exit(0);
    }
    ::close(start[1]);
    ::close(start[0]);
    int winners = 0;
    for (int i = 0; i < 8; ++i) {
      char told = 0;
      ASSERT_EQ(::read(done[0], &told, 1), 1);
      winners += told == 'w';
    }
    EXPECT_EQ(winners, 1);
    ::close(done[0]);
    ::close(done[1]);
    for (const pid_t child : children) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
  }
}

}  // namespace
}  // namespace belfry::system
