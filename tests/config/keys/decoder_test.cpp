// Spellings that every reader shares.
#include "config/keys/decoder.hpp"

#include <gtest/gtest.h>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

TEST(Decoder, a_command_is_a_list_or_a_line_that_is_split) {
  EXPECT_EQ(good("services: {x: {command: [a, 'b c', 8080]}}").services[0].command,
            (Command{"a", "b c", "8080"}));
  EXPECT_EQ(good("services: {x: {command: a 'b c' --d=e}}").services[0].command,
            (Command{"a", "b c", "--d=e"}));
}
TEST(Decoder, environment_is_a_mapping_or_a_list) {
  for (const char* spelling : {"environment: {A: '1', B: x}", "environment: ['A=1', B=x]"}) {
    const Stack stack = with_keys(spelling);
    const auto& environment = stack.services[0].environment;
    EXPECT_EQ(value_of(environment, "A"), "1");
    EXPECT_EQ(value_of(environment, "B"), "x");
  }
}
TEST(Decoder, a_variable_without_value_is_taken_from_belfry) {
  const Stack stack = good(
      "services: {x: {command: a, environment: [A, B]}, y: {command: a, environment: {A: }}}", {{"A", "1"}});
  EXPECT_EQ(stack.services[0].environment.size(), 1U);
  EXPECT_EQ(value_of(stack.services[1].environment, "A"), "1");
}
TEST(Decoder, what_is_in_quotes_or_comes_from_a_variable_is_no_trap) {
  const Loaded result = loaded(
      "defaults: {environment: ['D=no'], restart: no}\nservices: {\"no\": {command: [\"true\", 'off', "
      "\"010\"], user: "
      "\"010\", umask: \"027\", profiles: ['no'], environment: {A: \"yes\", B: $V, \"NO\": x}, labels: "
      "['a=no'], "
      "description: !!str no, cgroup: {cpu_max: \"2\", memory_max: 0}, ready: {log: \"no\"}, "
      "success_exit_codes: 0}}",
      {{"V", "yes"}});
  EXPECT_EQ(text_of(result.diagnostics), "");
}
// What is said of a service with these keys when the variable PW holds a secret.
std::string said_of_secret(const std::string& keys, const std::string& secret) {
  const Loaded result = loaded("services: {x: {command: \"true\", " + keys + "}}", {{"PW", secret}});
  EXPECT_TRUE(result.diagnostics.has_errors()) << keys;
  std::ostringstream json;
  for (const Diagnostic& one : result.diagnostics) json << one.message << '\n' << one.help << '\n';
  return json.str();
}
TEST(Decoder, the_value_of_a_variable_is_not_shown) {
  for (const std::string secret :
       {"hunter2", "hunter2:99999", "9hunter2", "hunter2.example:x:y", ":hunter2", "yes(hunter2"})
    for (const char* keys : {"ready: {port: '${PW}'}",
                             "ready: {tcp: '${PW}'}",
                             "ready: {http: 'ftp://${PW}'}",
                             "ready: {redis: '${PW}'}",
                             "ready: {http: 'http://h:${PW}/'}",
                             "stop: {timeout: '${PW}'}",
                             "cgroup: {memory_max: '${PW}'}",
                             "nice: '${PW}'",
                             "cgroup: {cpu_max: '${PW}'}",
                             "umask: '${PW}'",
                             "stop: {signal: '${PW}'}",
                             "tty: '${PW}'",
                             "restart: '${PW}'",
                             "restart: {limit: '${PW}'}",
                             "ready: '${PW}'",
                             "ready: {http: 'http://h/', status: ['${PW}']}",
                             "ready: {http: 'http://h/', method: '${PW}'}",
                             "depends_on: ['${PW}']",
                             "depends_on: {x: '${PW}'}",
                             "extends: '${PW}'",
                             "listen: '${PW}'",
                             "ready: {log: '(${PW}'}",
                             "environment: ['=${PW}']",
                             "rlimits: {nofile: '${PW}'}"}) {
      const std::string said = said_of_secret(keys, secret);
      EXPECT_FALSE(said.contains("hunter")) << said;
      EXPECT_TRUE(said.contains("${PW}")) << said;
    }
}
TEST(Decoder, says_that_the_variable_is_what_is_wrong) {
  EXPECT_EQ(said_of_secret("ready: {port: '${PW}'}", "x"),
            "`${PW}` is not a port\nit is the value of the variable that is wrong; a port is a number from 1 "
            "to 65535\n");
}
TEST(Decoder, a_command_is_suggested_with_its_variables_in_it) {
  const Loaded result = loaded("services: {x: {command: 'sh $PW > log'}}", {{"PW", "hunter2"}});
  EXPECT_FALSE(text_of(result.diagnostics).contains("hunter2")) << text_of(result.diagnostics);
}

}  // namespace
}  // namespace belfry::config
