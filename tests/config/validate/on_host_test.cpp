// Ports that two want.
#include <gtest/gtest.h>

#include "config/validate/validate.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

std::string two(const std::string& a, const std::string& b) {
  return rule_of("services: {a: {command: x, " + a + "}, b: {command: x, " + b + "}}");
}

TEST(ValidateHost, one_port_belongs_to_one_service) {
  EXPECT_EQ(two("ready: {port: 80}", "ready: {port: 80}"), "same-port");
  EXPECT_EQ(two("ready: {port: 80}", "listen: '127.0.0.1:80'"), "same-port");
  EXPECT_EQ(two("listen: '127.0.0.1:80'", "listen: '0.0.0.0:80'"), "same-port");
  EXPECT_EQ(rule_of("http: {listen: '127.0.0.1:80'}\nservices: {a: {command: x, ready: {port: 80}}}"),
            "same-port");
}
TEST(ValidateHost, two_may_share_what_does_not_collide) {
  EXPECT_EQ(two("ready: {port: 80}", "ready: {port: {udp: 80}}"), "none");
  EXPECT_EQ(two("listen: '127.0.0.1:80'", "listen: '127.0.0.2:80'"), "none");
  EXPECT_EQ(two("ready: {port: 80}", "profiles: [off], ready: {port: 80}"), "none");
  EXPECT_EQ(two("ready: {port: 80}", "type: oneshot, ready: {port: 80}"), "none");
  EXPECT_EQ(two("ready: {tcp: '127.0.0.1:80'}", "ready: {tcp: '127.0.0.1:80'}"), "none");
  EXPECT_EQ(two("listen: {x: {address: '127.0.0.1:80', reuse_port: true}}",
                "listen: {x: {address: '127.0.0.1:80', reuse_port: true}}"),
            "none");
}
TEST(ValidateHost, replicas_that_share_a_port_are_warned_of_only) {
  const Loaded result = loaded("services: {a: {command: x, replicas: 2, ready: {port: 80}}}");
  EXPECT_FALSE(result.diagnostics.has_errors());
  ASSERT_EQ(result.diagnostics.warnings(), 1U);
  EXPECT_EQ(result.diagnostics[0].rule, "shared-port");
  EXPECT_TRUE(
      loaded("services: {a: {command: x, replicas: 2, ready: {port: '80${REPLICA}'}}}").diagnostics.empty());
}
}  // namespace
}  // namespace belfry::config
