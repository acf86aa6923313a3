#include "system/socket_directory.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

namespace belfry::system {
namespace {

namespace fs = std::filesystem;

void bind_socket(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
}

class SocketDirectoryTest : public testing::Test {
 protected:
  SocketDirectoryTest() {
    std::string path = fs::temp_directory_path() / "belfry-place.XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    place_ = path;
  }
  ~SocketDirectoryTest() override { fs::remove_all(place_); }

  // What a daemon leaves behind that is killed: made by a process that ends without a destructor.
  void leave_one_behind() {
    const pid_t child = ::fork();
    if (child == 0) {
      SocketDirectory directory;
      if (!directory.make_below(place_)) ::_exit(1);
      bind_socket(directory.path() + "/notify");
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_EQ(status, 0);
  }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(place_), {}));
  }

  std::string place_;
};

TEST_F(SocketDirectoryTest, it_is_passed_through_and_not_listed_and_goes_with_its_object) {
  std::optional<SocketDirectory> directory(std::in_place);
  ASSERT_TRUE(directory->make_below(place_));
  struct stat info{};
  ASSERT_EQ(::stat(directory->path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0711U);
  directory.reset();
  EXPECT_EQ(entries(), 0U);
}

TEST_F(SocketDirectoryTest, what_a_killed_daemon_left_is_removed_by_the_next_one) {
  leave_one_behind();
  leave_one_behind();  // removes the first
  EXPECT_EQ(entries(), 1U);
  SocketDirectory next;
  ASSERT_TRUE(next.make_below(place_));
  EXPECT_EQ(entries(), 1U);
}

TEST_F(SocketDirectoryTest, that_of_a_living_daemon_stays) {
  SocketDirectory one, two, three;
  ASSERT_TRUE(one.make_below(place_));
  bind_socket(one.path() + "/notify");
  ASSERT_TRUE(two.make_below(place_));
  ASSERT_TRUE(three.make_below(place_));
  EXPECT_EQ(entries(), 3U);
  EXPECT_TRUE(fs::exists(one.path() + "/notify"));
  ::unlink((one.path() + "/notify").c_str());
}

TEST_F(SocketDirectoryTest, what_is_not_ours_is_left_alone) {
  fs::create_directory(place_ + "/belfry.nolock");     // no lock in it
  fs::create_directory(place_ + "/belfry.morethan6");  // not a name of ours
  std::ofstream(place_ + "/belfry.morethan6/alive");
  fs::create_directory(place_ + "/belfry.abcdef");  // with a file that somebody put there
  std::ofstream(place_ + "/belfry.abcdef/alive");
  std::ofstream(place_ + "/belfry.abcdef/precious");
  fs::create_directory(place_ + "/elsewhere");
  std::ofstream(place_ + "/elsewhere/alive");
  fs::create_directory_symlink(place_ + "/elsewhere", place_ + "/belfry.symlnk");
  SocketDirectory directory;
  ASSERT_TRUE(directory.make_below(place_));
  EXPECT_TRUE(fs::exists(place_ + "/belfry.nolock"));
  EXPECT_TRUE(fs::exists(place_ + "/belfry.morethan6/alive"));
  EXPECT_TRUE(fs::exists(place_ + "/belfry.abcdef/precious"));
  EXPECT_TRUE(fs::exists(place_ + "/elsewhere/alive"));
}

TEST_F(SocketDirectoryTest, a_place_that_does_not_exist_is_an_error) {
  SocketDirectory directory;
  const auto made = directory.make_below(place_ + "/nowhere");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text().find("cannot make a directory for notify sockets"), std::string::npos);
}

}  // namespace
}  // namespace belfry::system
