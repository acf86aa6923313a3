#include "daemon/host/paths.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace belfry::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A place of its own in both variables that count, put back afterwards.
struct Paths : testing::Test {
  std::string root =
      (std::filesystem::temp_directory_path() / ("belfry-paths-test-" + std::to_string(::getpid()))).string();
  std::string mine = "/belfry-" + std::to_string(::geteuid());

  Paths() {
    std::filesystem::create_directory(root);
    ::setenv("TMPDIR", root.c_str(), 1);
    ::setenv("XDG_RUNTIME_DIR", root.c_str(), 1);
  }
  ~Paths() override {
    ::unsetenv("TMPDIR");
    ::unsetenv("XDG_RUNTIME_DIR");
    std::filesystem::remove_all(root);
  }
};

TEST_F(Paths, the_places_are_tried_in_their_order) {
  EXPECT_THAT(control_socket_candidates("shop"),
              ElementsAre(root + "/belfry/shop.sock", "/run/belfry/shop.sock", root + mine + "/shop.sock"));
  ::unsetenv("XDG_RUNTIME_DIR");
  EXPECT_THAT(control_socket_candidates("shop"),
              ElementsAre("/run/belfry/shop.sock", root + mine + "/shop.sock"));
}

TEST_F(Paths, a_configured_place_is_the_only_one) {
  EXPECT_THAT(control_socket_candidates("shop", "/x/y.sock"), ElementsAre("/x/y.sock"));
}

TEST_F(Paths, a_name_cannot_leave_the_directory) {
  EXPECT_EQ(control_socket_candidates("../etc").front(), root + "/belfry/.._etc.sock");
}

TEST_F(Paths, the_directory_is_made_for_its_user_only) {
  const auto path = make_place_for_control_socket("shop");
  ASSERT_TRUE(path) << path.error().text();
  EXPECT_EQ(*path, root + "/belfry/shop.sock");
  struct stat status{};
  ASSERT_EQ(::stat((root + "/belfry").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(Paths, a_directory_below_the_temporary_one_that_others_may_enter_is_refused) {
  ASSERT_EQ(::mkdir((root + mine).c_str(), 0700), 0);
  ASSERT_EQ(::chmod((root + mine).c_str(), 0755), 0);
  const auto path = make_place_for_private_socket("shop");
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().text(), HasSubstr("only this user may enter"));
}

TEST_F(Paths, a_default_directory_that_everybody_may_write_to_is_refused_unless_it_is_sticky) {
  ASSERT_EQ(::mkdir((root + "/belfry").c_str(), 0700), 0);
  ASSERT_EQ(::chmod((root + "/belfry").c_str(), 0777), 0);
  EXPECT_NE(make_place_for_control_socket("shop").value_or(""), root + "/belfry/shop.sock");
  ASSERT_EQ(::chmod((root + "/belfry").c_str(), 01777), 0);
  EXPECT_EQ(make_place_for_control_socket("shop").value_or(""), root + "/belfry/shop.sock");
}

TEST_F(Paths, a_directory_that_somebody_has_chosen_is_his_to_answer_for) {
  ASSERT_EQ(::chmod(root.c_str(), 0777), 0);
  EXPECT_TRUE(make_place_for_control_socket("shop", root + "/shop.sock"));
}

TEST_F(Paths, a_private_socket_has_a_place_of_its_own) {
  const auto path = make_place_for_private_socket("shop");
  ASSERT_TRUE(path) << path.error().text();
  EXPECT_EQ(*path, root + mine + "/shop-exec-" + std::to_string(::getpid()) + ".sock");
}

TEST_F(Paths, a_path_that_a_socket_cannot_have_is_told_with_the_way_out) {
  const auto path = make_place_for_control_socket("shop", "/tmp/" + std::string(120, 'x') + ".sock");
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().text(), HasSubstr("set control.socket"));
}

TEST_F(Paths, a_missing_directory_is_named) {
  const auto path = make_place_for_control_socket("shop", root + "/a/b/shop.sock");
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().text(), HasSubstr(root + "/a/b: No such file or directory"));
}

}  // namespace
}  // namespace belfry::daemon
