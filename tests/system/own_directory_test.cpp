#include "system/own_directory.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "system/removals.hpp"

namespace belfry::system {
namespace {

namespace fs = std::filesystem;

class OwnDirectory : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "belfry-own-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    base = name;
    ::chmod(base.c_str(), 0755);
  }
  void TearDown() override { fs::remove_all(base); }

  Result<MadeDirectory> make(std::string_view name, uid_t uid = ::geteuid(), mode_t mode = 0755) {
    return make_own_directory({.base = base, .name = name, .mode = mode, .uid = uid, .gid = ::getegid()});
  }
  static struct stat facts(const std::string& path) {
    struct stat info{};
    ::lstat(path.c_str(), &info);
    return info;
  }

  std::string base;
};

TEST_F(OwnDirectory, it_is_made_with_its_mode_whatever_the_umask) {
  const mode_t before = ::umask(077);
  const auto made = make("app", ::geteuid(), 0755);
  ::umask(before);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->path, base + "/app");
  EXPECT_TRUE(made->ours);
  EXPECT_EQ(facts(made->path).st_mode & 07777U, 0755U);
}

TEST_F(OwnDirectory, it_belongs_to_the_user_of_the_service_and_those_above_it_do_not) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives directories away";
  const auto made = make("app/cache", 65534);
  ASSERT_TRUE(made);
  EXPECT_EQ(facts(base + "/app/cache").st_uid, 65534U);
  EXPECT_EQ(facts(base + "/app").st_uid, 0U);
}

TEST_F(OwnDirectory, one_that_is_there_is_taken_as_it_is_and_is_not_ours) {
  fs::create_directory(base + "/app");
  std::ofstream(base + "/app/state") << "kept";
  const auto made = make("app");
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->ours);
  EXPECT_TRUE(fs::exists(base + "/app/state"));
}

TEST_F(OwnDirectory, one_of_somebody_else_is_refused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives directories away";
  fs::create_directory(base + "/app");
  ASSERT_EQ(::chown((base + "/app").c_str(), 4242, 4242), 0);
  const auto made = make("app", 65534);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind(), Error::Kind::failed);
  EXPECT_EQ(made.error().text(), "cannot use " + base +
                                     "/app: it is there already and belongs to user 4242 (chown "
                                     "it, or choose another name)");
}

TEST_F(OwnDirectory, roots_own_is_given_away_only_while_it_is_empty) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives directories away";
  fs::create_directory(base + "/empty");
  fs::create_directory(base + "/full");
  std::ofstream(base + "/full/file") << "root's";
  EXPECT_TRUE(make("empty", 65534));
  EXPECT_EQ(facts(base + "/empty").st_uid, 65534U);
  EXPECT_FALSE(make("full", 65534));
  EXPECT_EQ(facts(base + "/full").st_uid, 0U);
}

TEST_F(OwnDirectory, no_symbolic_link_is_followed_on_the_way_or_at_its_end) {
  fs::create_directory(base + "/elsewhere");
  fs::create_directory(base + "/app");
  fs::create_directory_symlink(base + "/elsewhere", base + "/app/cache");
  fs::create_directory_symlink(base + "/elsewhere", base + "/link");
  for (const char* name : {"app/cache", "app/cache/deep", "link", "link/below"}) {
    const auto made = make(name);
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().kind(), Error::Kind::failed) << name;
    EXPECT_NE(made.error().text().find("it is a symbolic link or a file"), std::string::npos)
        << made.error().text();
  }
  EXPECT_TRUE(fs::is_empty(base + "/elsewhere"));
}

TEST_F(OwnDirectory, it_is_removed_with_all_that_it_holds) {
  ASSERT_TRUE(make("app/run"));
  fs::create_directories(base + "/app/run/a/b/c");
  std::ofstream(base + "/app/run/a/b/file") << "x";
  remove_own_directory(base, "app/run");
  EXPECT_FALSE(fs::exists(base + "/app/run"));
  EXPECT_TRUE(fs::exists(base + "/app"));
}

// The mark needs a file system with extended attributes, and the right to set one.
TEST_F(OwnDirectory, what_a_belfry_that_is_gone_has_left_is_emptied_and_its_own_is_not) {
  const OwnDirectoryRequest request{
      .base = base, .name = "app", .mode = 0755, .uid = ::geteuid(), .gid = ::getegid(), .temporary = true};
  const pid_t other = ::fork();
  if (other == 0) {
    const bool made = make_own_directory(request).has_value();
    std::ofstream(base + "/app/pid") << "1";
    ::_exit(made ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  ASSERT_EQ(status, 0);
  if (::getxattr((base + "/app").c_str(), "trusted.belfry", nullptr, 0) <= 0 &&
      ::getxattr((base + "/app").c_str(), "user.belfry", nullptr, 0) <= 0)
    GTEST_SKIP() << "no mark can be set here";
  const auto again = make_own_directory(request);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->ours);
  EXPECT_TRUE(fs::is_empty(base + "/app"));
  std::ofstream(base + "/app/socket") << "of a service that shares it";
  EXPECT_TRUE(make_own_directory(request)->ours);
  EXPECT_TRUE(fs::exists(base + "/app/socket"));
}

TEST_F(OwnDirectory, a_large_one_is_out_of_the_way_at_once_and_gone_a_moment_later) {
  ASSERT_TRUE(make("app/small"));
  ASSERT_TRUE(make("app/large"));
  std::ofstream(base + "/app/small/file") << "x";
  fs::create_directory(base + "/app/large/below");
  for (std::size_t i = 0; i <= Removals::at_once; ++i)
    std::ofstream(base + "/app/large/below/" + std::to_string(i)) << "x";
  {
    Removals removals;
    removals.remove(base, "app/small");
    EXPECT_FALSE(fs::exists(base + "/app/small"));
    EXPECT_EQ(removals.begun(), 0U);
    removals.remove(base, "app/large");
    EXPECT_FALSE(fs::exists(base + "/app/large"));
    EXPECT_EQ(removals.begun(), 1U);
  }
  EXPECT_TRUE(fs::is_empty(base + "/app"));
}

TEST_F(OwnDirectory, a_link_in_it_is_removed_and_what_it_leads_to_is_not) {
  fs::create_directory(base + "/elsewhere");
  std::ofstream(base + "/elsewhere/precious") << "x";
  ASSERT_TRUE(make("app"));
  fs::create_directory_symlink(base + "/elsewhere", base + "/app/link");
  remove_own_directory(base, "app");
  EXPECT_FALSE(fs::exists(base + "/app"));
  EXPECT_TRUE(fs::exists(base + "/elsewhere/precious"));
}

TEST_F(OwnDirectory, one_that_was_replaced_by_a_link_is_left_alone) {
  fs::create_directory(base + "/elsewhere");
  std::ofstream(base + "/elsewhere/precious") << "x";
  fs::create_directory_symlink(base + "/elsewhere", base + "/app");
  remove_own_directory(base, "app");
  EXPECT_TRUE(fs::exists(base + "/elsewhere/precious"));
}

TEST_F(OwnDirectory, the_places_above_are_made_where_a_machine_has_none) {
  const std::string deep = base + "/var/lib";
  const auto made =
      make_own_directory({.base = deep, .name = "app", .mode = 0700, .uid = ::geteuid(), .gid = ::getegid()});
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(facts(deep + "/app").st_mode & 07777U, 0700U);
}

}  // namespace
}  // namespace belfry::system
