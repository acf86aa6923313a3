#include "system/identity.hpp"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace belfry::system {
namespace {

TEST(Identity, root_has_number_group_and_home) {
  auto root = find_identity("root");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->uid, 0U);
  EXPECT_EQ(root->gid, 0U);
  EXPECT_EQ(root->home, "/root");
  EXPECT_NE(std::ranges::find(root->groups, 0U), root->groups.end());
}

TEST(Identity, a_number_with_an_entry_gets_its_name) {
  auto root = find_identity("0");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->name, "root");
}

TEST(Identity, a_number_without_an_entry_stands_for_itself) {
  auto nobody = find_identity("54321");
  ASSERT_TRUE(nobody);
  EXPECT_EQ(nobody->uid, 54321U);
  EXPECT_EQ(nobody->gid, 54321U);
  EXPECT_EQ(nobody->groups, std::vector<gid_t>{54321});
}

TEST(Identity, a_group_of_its_own_replaces_the_users) {
  auto found = find_identity("nobody", "daemon");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->gid, 1U);
  EXPECT_NE(std::ranges::find(found->groups, 1U), found->groups.end());
}

TEST(Identity, an_unknown_user_or_group_is_named) {
  auto user = find_identity("nosuchuser");
  ASSERT_FALSE(user);
  EXPECT_EQ(user.error().text("api"), "identity: unknown user \"nosuchuser\"");
  auto group = find_identity("root", "nosuchgroup");
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().text("api"), "identity: unknown group \"nosuchgroup\"");
}

TEST(Identity, minus_one_is_no_user) { EXPECT_FALSE(find_identity("4294967295")); }

TEST(Identity, who_is_not_root_cannot_become_somebody_else_and_is_told_why) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give it up";
  const Identity other{54321, 54321, {54321}, "x", "/", "/bin/sh"};
  EXPECT_EQ(why_cannot_become(other), "");
  const pid_t pid = ::fork();
  if (pid == 0) {
    const bool dropped = ::setgroups(0, nullptr) == 0 && ::setresgid(4242, 4242, 4242) == 0 &&
                         ::setresuid(4242, 4242, 4242) == 0;
    const std::string why = why_cannot_become(other);
    const bool itself = why_cannot_become({4242, 4242, {4242}, "y", "/", "/bin/sh"}).empty();
    ::_exit(dropped && itself && why.starts_with("belfry is not root (it is user 4242") ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace belfry::system
