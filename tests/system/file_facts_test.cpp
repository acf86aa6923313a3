#include "system/file_facts.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "system/owned_fd.hpp"

namespace belfry::system {
namespace {

namespace fs = std::filesystem;

class FileFactsTest : public testing::Test {
 protected:
  FileFactsTest() {
    std::string path = fs::temp_directory_path() / "belfry-facts.XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    place_ = path;
  }
  ~FileFactsTest() override { fs::remove_all(place_); }

  std::string place_;
};

TEST_F(FileFactsTest, a_directory_is_made_once_and_is_then_this_users_alone) {
  const std::string path = place_ + "/own";
  EXPECT_EQ(make_own_directory(path), 0);
  EXPECT_EQ(make_own_directory(path), 0) << "it is there";
  EXPECT_EQ(make_own_directory(place_ + "/no/such"), ENOENT);
  EXPECT_TRUE(facts_of_itself(path)->is_directory_of_this_user_alone());
  ASSERT_EQ(::chmod(path.c_str(), 0750), 0);
  EXPECT_FALSE(facts_of_itself(path)->is_directory_of_this_user_alone());
}

TEST_F(FileFactsTest, a_link_to_a_directory_is_not_the_directory_itself) {
  const std::string link = place_ + "/link";
  ASSERT_EQ(::symlink(place_.c_str(), link.c_str()), 0);
  EXPECT_TRUE(facts_of(link)->is_directory);
  EXPECT_FALSE(facts_of_itself(link)->is_directory);
  EXPECT_EQ(facts_of(place_ + "/nothing").error(), ENOENT);
}

TEST_F(FileFactsTest, everybody_may_replace_where_everybody_may_write_without_the_sticky_bit) {
  const auto lets = [this](mode_t mode) {
    EXPECT_EQ(::chmod(place_.c_str(), mode), 0);
    const bool answer = facts_of(place_)->lets_everybody_replace();
    ::chmod(place_.c_str(), 0700);
    return answer;
  };
  EXPECT_TRUE(lets(0777));
  EXPECT_FALSE(lets(01777));
  EXPECT_FALSE(lets(0775));
}

TEST_F(FileFactsTest, what_keeps_from_a_file_is_said_as_errno) {
  EXPECT_EQ(access_error(place_, Access::enter), 0);
  EXPECT_EQ(access_error(place_, Access::make_in), 0);
  EXPECT_EQ(access_error(place_ + "/nothing", Access::there), ENOENT);
  EXPECT_EQ(access_error("/bin/sh", Access::execute), 0);
  EXPECT_EQ(access_error("/etc/passwd", Access::read), 0);
  EXPECT_EQ(access_error("/etc/passwd", Access::execute), EACCES);
  EXPECT_TRUE(is_regular_file("/etc/passwd"));
  EXPECT_FALSE(is_regular_file("/etc"));
}

TEST_F(FileFactsTest, a_copy_is_the_same_open_file_and_a_second_opening_only_the_same_file) {
  const OwnedFd one(::open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  const OwnedFd copy(::dup(one.get()));
  const OwnedFd other(::open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(is_same_open_file(one.get(), copy.get()));
  EXPECT_FALSE(is_same_open_file(one.get(), other.get()));
  EXPECT_TRUE(is_same_file(one.get(), other.get()));
  EXPECT_EQ(inode_of(one.get()), inode_of(other.get()));
  EXPECT_FALSE(is_same_file(one.get(), -1));
}

}  // namespace
}  // namespace belfry::system
