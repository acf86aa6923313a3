// What a service is launched with, also one that nobody has brought along before its start.
#include "daemon/resources/launch_setup.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "system/identity.hpp"

namespace belfry::daemon {
namespace {

TEST(LaunchSetup, somebody_who_was_in_no_file_before_has_an_environment_and_a_user) {
  LaunchSetup setup{config::Stack()};
  config::Service late;
  late.name = "late";
  late.command = {"true"};
  late.user = std::to_string(system::own_user());
  late.extras = std::make_unique<config::ServiceExtras>();
  late.extras->environment_from = {"PATH"};
  EXPECT_TRUE(setup.check(late));
  system::Launch launch;
  setup.apply(late, launch);
  ASSERT_TRUE(launch.identity);
  EXPECT_EQ(launch.identity->uid, system::own_user());
}

TEST(LaunchSetup, a_user_whom_nobody_knows_is_named_and_ends_nothing) {
  LaunchSetup setup{config::Stack()};
  config::Service late;
  late.name = "late";
  late.user = std::string("nobody-knows-this-one");
  const Result<void> checked = setup.check(late);
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().text().find("nobody-knows-this-one"), std::string::npos);
  EXPECT_FALSE(setup.identity_of(late));
}

}  // namespace
}  // namespace belfry::daemon
