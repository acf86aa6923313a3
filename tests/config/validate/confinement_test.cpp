// What a sandbox keeps apart, and what belfry may not give on this machine.
#include <gtest/gtest.h>

#include "config/validate/validate.hpp"
#include "tests/config/fake_host.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

std::string said_of(const std::string& keys) {
  return text_of(loaded("services: {x: {command: sleep 1, " + keys + "}}").diagnostics);
}

TEST(CheckConfinement, a_probe_by_address_never_reaches_a_private_network) {
  for (const char* probe : {"tcp: '127.0.0.1:80'", "http: 'http://localhost:80/'", "redis: '127.0.0.1:6379'",
                            "grpc: '[::1]:50051'", "postgres: 'host=127.0.0.1'"})
    EXPECT_NE(said_of("sandbox: {private_network: true}, ready: {" + std::string(probe) + "}")
                  .find("this probe asks in belfry's own, and never gets an answer"),
              std::string::npos)
        << probe << said_of("sandbox: {private_network: true}, ready: {" + std::string(probe) + "}");
  EXPECT_NE(
      said_of("sandbox: {private_network: true}, live: {port: 80}").find("belfry hears of it only where"),
      std::string::npos);
}

TEST(CheckConfinement, what_needs_no_address_works_in_a_private_network) {
  for (const char* keys : {"ready: notify", "ready: {exec: [true]}", "ready: {unix: /run/x}",
                           "listen: '127.0.0.1:80'", "ready: {http: 'http://db.example/'}"})
    EXPECT_EQ(said_of("sandbox: {private_network: true}, " + std::string(keys)).find("`private_network`: "),
              std::string::npos)
        << keys;
}

TEST(CheckConfinement, a_path_that_the_service_does_not_see_is_named) {
  EXPECT_NE(said_of("sandbox: {private_tmp: true}, ready: {unix: /tmp/x.sock}").find("of its own:"),
            std::string::npos)
      << said_of("sandbox: {private_tmp: true}, ready: {unix: /tmp/x.sock}");
  EXPECT_NE(said_of("sandbox: {protect_home: true}, working_dir: /home/me").find("it runs in `/home/me`"),
            std::string::npos);
  EXPECT_EQ(said_of("sandbox: {private_tmp: true, writable: [/tmp/x]}, ready: {unix: /tmp/x/s}")
                .find("of its own:"),
            std::string::npos);
  EXPECT_EQ(said_of("sandbox: {private_tmp: true}, ready: {unix: /tmpfs/x.sock}").find("of its own:"),
            std::string::npos);
}

TEST(CheckConfinement, two_services_cannot_have_one_runtime_directory) {
  EXPECT_EQ(
      rule_of("services: {a: {command: x, runtime_directory: app}, b: {command: x, runtime_directory: app}}"),
      "same-directory");
  EXPECT_EQ(rule_of("services: {a: {command: x, runtime_directory: app, replicas: 2}}"), "same-directory");
  EXPECT_EQ(rule_of("services: {a: {command: x, runtime_directory: 'app-${REPLICA}', replicas: 2}}"), "none");
}

TEST(CheckConfinement, what_belfry_may_not_give_here_is_said_at_the_key) {
  FakeHost host;
  host.files.insert("/bin/sleep");
  host.refusals = {{"nice", "only root may raise a priority", "start belfry as root"}};
  LoadOptions options;
  options.host = &host;
  const std::string said =
      text_of(loaded("services:\n  x:\n    command: /bin/sleep 1\n    nice: -5\n", {}, options).diagnostics);
  EXPECT_NE(said.find("4:11: warning: `x` cannot have its `nice` here: only root may raise a priority"),
            std::string::npos)
      << said;
}

}  // namespace
}  // namespace belfry::config
