#include "system/private_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "system/socket_directory.hpp"
#include "tests/system/as_nobody.hpp"

namespace belfry::system {
namespace {

namespace fs = std::filesystem;

class PrivateFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "belfry-private-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    place = name;
    ::chmod(place.c_str(), 0711);
  }
  void TearDown() override { fs::remove_all(place); }
  static struct stat facts(const std::string& path) {
    struct stat info{};
    ::lstat(path.c_str(), &info);
    return info;
  }

  std::string place;
  const std::string secret = "opensesame";
};

TEST_F(PrivateFilesTest, only_the_user_of_the_service_reads_them) {
  const uid_t uid = ::geteuid() == 0 ? 65534 : ::geteuid();
  const gid_t gid = ::geteuid() == 0 ? 65534 : ::getegid();
  const auto directory = make_credentials_directory(place, "db");
  ASSERT_TRUE(directory) << directory.error().text();
  ASSERT_TRUE(write_private_files(*directory, {{"pg", &secret}}, uid, gid));
  EXPECT_EQ(facts(*directory + "/pg").st_uid, uid);
  EXPECT_EQ(facts(*directory + "/pg").st_mode & 07777U, 0400U);
  EXPECT_EQ(facts(*directory).st_uid, ::geteuid()) << "else it could plant links there";
  EXPECT_EQ(facts(*directory).st_mode & 07777U, 0750U);
  EXPECT_EQ(test::as_nobody([&] {
              std::stringstream read;
              read << std::ifstream(*directory + "/pg").rdbuf();
              return read.str();
            }),
            secret);
}

TEST_F(PrivateFilesTest, those_of_an_earlier_run_are_replaced) {
  const std::string older = "older";
  auto directory = make_credentials_directory(place, "db");
  ASSERT_TRUE(directory);
  ASSERT_TRUE(write_private_files(*directory, {{"gone", &older}}, ::geteuid(), ::getegid()));
  directory = make_credentials_directory(place, "db");
  ASSERT_TRUE(directory);
  EXPECT_TRUE(fs::is_empty(*directory));
}

TEST_F(PrivateFilesTest, they_are_gone_when_they_are_removed) {
  const auto directory = make_credentials_directory(place, "db");
  ASSERT_TRUE(directory);
  ASSERT_TRUE(write_private_files(*directory, {{"pg", &secret}}, ::geteuid(), ::getegid()));
  remove_credentials_directory(place, "db");
  EXPECT_FALSE(fs::exists(*directory));
}

TEST_F(PrivateFilesTest, what_a_killed_daemon_has_left_is_removed_by_the_next_one) {
  // A directory of a daemon that is dead: its lock is nobody's.
  const std::string dead = place + "/belfry.abcdef";
  fs::create_directory(dead);
  std::ofstream(dead + "/alive") << "";
  const auto directory = make_credentials_directory(dead, "db");
  ASSERT_TRUE(directory);
  ASSERT_TRUE(write_private_files(*directory, {{"pg", &secret}}, ::geteuid(), ::getegid()));
  SocketDirectory next;
  ASSERT_TRUE(next.make_below(place));
  EXPECT_FALSE(fs::exists(dead));
}

TEST_F(PrivateFilesTest, nothing_is_left_when_the_daemon_ends) {
  std::string path;
  {
    SocketDirectory own;
    ASSERT_TRUE(own.make_below(place));
    path = own.path();
    const auto directory = make_credentials_directory(path, "db");
    ASSERT_TRUE(directory);
    ASSERT_TRUE(write_private_files(*directory, {{"pg", &secret}}, ::geteuid(), ::getegid()));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(PrivateFilesTest, an_error_does_not_repeat_what_is_in_them) {
  const auto directory = make_credentials_directory(place, "db");
  ASSERT_TRUE(directory);
  const auto written = write_private_files(*directory, {{"a/b", &secret}}, ::geteuid(), ::getegid());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().text().find(secret), std::string::npos);
}

}  // namespace
}  // namespace belfry::system
