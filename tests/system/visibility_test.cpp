// What keeps belfry from seeing others.
#include "system/visibility.hpp"

#include <gtest/gtest.h>

namespace belfry::system {
namespace {

TEST(Visibility, the_last_mount_on_proc_says_whether_it_hides_anybody) {
  constexpr std::string_view hidden =
      "22 27 0:21 / /sys rw - sysfs sysfs rw\n"
      "23 27 0:5 / /proc rw,nosuid - proc proc rw,hidepid=2\n";
  EXPECT_EQ(hiding_option_in(hidden), "hidepid=2");
  EXPECT_EQ(hiding_option_in("23 27 0:5 / /proc rw - proc proc rw,gid=4,hidepid=invisible"),
            "hidepid=invisible");
  EXPECT_EQ(hiding_option_in("23 27 0:5 / /proc rw - proc proc rw,hidepid=0\n"), "");
  EXPECT_EQ(hiding_option_in(std::string(hidden) + "24 23 0:5 / /proc rw - proc proc rw\n"), "");
  EXPECT_EQ(hiding_option_in("23 27 0:5 / /srv/proc rw - proc proc rw,hidepid=2\n"), "") << "another place";
  EXPECT_EQ(hiding_option_in(""), "");
}

TEST(Visibility, a_user_without_a_name_is_a_number) {
  EXPECT_EQ(name_of_user(0), "root");
  EXPECT_EQ(name_of_user(3999999999U), "3999999999");
  EXPECT_EQ(name_of_group(0), "root");
  EXPECT_EQ(name_of_group(3999999999U), "3999999999");
}

TEST(Visibility, some_ports_are_for_the_privileged) { EXPECT_GE(first_unprivileged_port(), 0); }

}  // namespace
}  // namespace belfry::system
