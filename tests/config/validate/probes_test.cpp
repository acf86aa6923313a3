// Probes where they cannot work, and where they can.
#include <gtest/gtest.h>

#include "config/validate/validate.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

std::string rule_with(const std::string& keys) { return rule_of("services: {x: {" + keys + "}}"); }

TEST(ValidateProbes, an_external_service_is_asked_from_outside) {
  for (const char* inside : {"port: 1", "notify: true", "log: x", "fd: 3", "unix: /s"})
    EXPECT_EQ(rule_with(std::string("type: external, ready: {") + inside + "}"), "unfit-probe") << inside;
  for (const char* outside : {"tcp: 'a:1'", "http: 'http://a/'", "exec: x", "file: /f", "postgres: host=a"})
    EXPECT_EQ(rule_with(std::string("type: external, ready: {") + outside + "}"), "none") << outside;
}
TEST(ValidateProbes, liveness_is_asked_again_and_again) {
  for (const char* once : {"notify: true", "log: x", "fd: 3"})
    EXPECT_EQ(rule_with(std::string("command: a, live: {") + once + "}"), "unfit-probe") << once;
  EXPECT_EQ(rule_with("command: a, live: {port: 1}"), "none");
}
TEST(ValidateProbes, a_ready_descriptor_lies_behind_the_sockets) {
  EXPECT_EQ(rule_with("command: a, listen: ['127.0.0.1:1', '127.0.0.1:2'], ready: {fd: 4}"), "unfit-probe");
  EXPECT_EQ(rule_with("command: a, listen: ['127.0.0.1:1', '127.0.0.1:2'], ready: {fd: 5}"), "none");
}
TEST(ValidateProbes, the_listen_probe_needs_sockets) {
  EXPECT_EQ(rule_with("command: a, ready: {listen: true}"), "unfit-probe");
  EXPECT_EQ(rule_with("command: a, listen: '127.0.0.1:1', ready: {listen: true}"), "none");
}
TEST(ValidateProbes, own_bells_follow_the_rules_of_ready) {
  EXPECT_EQ(rule_with("type: external, ready: {tcp: 'a:1'}, bells: {b: {port: 1}}"), "unfit-probe");
}

}  // namespace
}  // namespace belfry::config
