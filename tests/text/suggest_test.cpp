#include "text/suggest.hpp"

#include <gtest/gtest.h>

#include <array>

namespace belfry::text {
namespace {

constexpr std::array<std::string_view, 5> known{"command", "depends_on", "restart", "ready", "user"};

TEST(Suggest, finds_what_was_meant) {
  EXPECT_EQ(nearest("comand", known), "command");
  EXPECT_EQ(nearest("depend_on", known), "depends_on");
  EXPECT_EQ(nearest("raedy", known), "ready");
  EXPECT_EQ(nearest("Restart", known), "restart");
  EXPECT_EQ(nearest("usr", known), "user");
}
TEST(Suggest, keeps_silent_when_nothing_is_near) {
  EXPECT_EQ(nearest("frobnicate", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest(std::string(1000, 'x'), known), "");
}
TEST(Suggest, shows_a_short_list_instead) {
  EXPECT_EQ(did_you_mean("zzz", std::array<std::string_view, 2>{"aa", "bb"}), "known are: `aa`, `bb`");
}

}  // namespace
}  // namespace belfry::text
