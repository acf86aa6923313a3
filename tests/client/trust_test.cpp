#include "client/trust.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/model/exit_codes.hpp"

namespace belfry::client {
namespace {

using testing::HasSubstr;

struct TrustTest : testing::Test {
  std::string directory = (std::filesystem::temp_directory_path() / "belfry-trust-XXXXXX").string();
  std::string path;
  ucred me{::getpid(), ::geteuid(), ::getegid()};

  TrustTest() {
    EXPECT_NE(::mkdtemp(directory.data()), nullptr);
    path = directory + "/c.sock";
    std::ofstream(path) << "";  // a socket or not: what counts is whose it is
  }
  ~TrustTest() override { std::filesystem::remove_all(directory); }
};

TEST_F(TrustTest, this_user_and_root_are_believed) {
  EXPECT_TRUE(check_trusted(path, me));
  EXPECT_TRUE(check_trusted(path, {1, 0, 0}));
}

TEST_F(TrustTest, another_user_is_not_and_is_named) {
  const auto trusted = check_trusted(path, {4711, 12345, 12345});
  ASSERT_FALSE(trusted);
  EXPECT_EQ(trusted.error().exit_code, exit_code::not_permitted);
  EXPECT_THAT(trusted.error().message, HasSubstr(path + ": process 4711 of user 12345"));
}

TEST_F(TrustTest, whom_the_kernel_does_not_name_is_nobody_to_believe) {
  EXPECT_FALSE(check_trusted(path, {0, static_cast<uid_t>(-1), 0}));
}

TEST_F(TrustTest, where_everybody_may_replace_the_socket_it_is_the_answerer_who_counts) {
  ASSERT_EQ(::chmod(directory.c_str(), 0777), 0);
  EXPECT_TRUE(check_trusted(path, me));
  EXPECT_FALSE(check_trusted(path, {4711, 12345, 12345}));
}

TEST_F(TrustTest, a_link_that_another_user_made_to_a_socket_of_this_one_is_not_followed) {
  if (::geteuid() != 0) GTEST_SKIP() << "takes root to make something another's";
  std::filesystem::create_symlink(path, directory + "/link");
  ASSERT_EQ(::lchown((directory + "/link").c_str(), 12345, 12345), 0);
  const auto trusted = check_trusted(directory + "/link", me);
  ASSERT_FALSE(trusted);
  EXPECT_THAT(trusted.error().message, HasSubstr("it belongs to user 12345"));
}

}  // namespace
}  // namespace belfry::client
