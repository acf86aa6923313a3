// Spellings that every reader shares.
#include "config/decoder.hpp"

#include <gtest/gtest.h>

#include "helpers.hpp"

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
  for (char const* spelling : {"environment: {A: '1', B: x}", "environment: ['A=1', B=x]"}) {
    Stack const stack = with_keys(spelling);
    auto const& environment = stack.services[0].environment;
    EXPECT_EQ(value_of(environment, "A"), "1");
    EXPECT_EQ(value_of(environment, "B"), "x");
  }
}
TEST(Decoder, a_variable_without_value_is_taken_from_belfry) {
  Stack const stack = good(
      "services: {x: {command: a, environment: [A, B]}, y: {command: a, environment: {A: }}}", {{"A", "1"}});
  EXPECT_EQ(stack.services[0].environment.size(), 1U);
  EXPECT_EQ(value_of(stack.services[1].environment, "A"), "1");
}
TEST(Decoder, what_is_in_quotes_or_comes_from_a_variable_is_no_trap) {
  Loaded const result = loaded(
      "defaults: {environment: ['D=no'], restart: no}\nservices: {\"no\": {command: [\"true\", 'off', "
      "\"010\"], user: "
      "\"010\", umask: \"027\", profiles: ['no'], environment: {A: \"yes\", B: $V, \"NO\": x}, labels: "
      "['a=no'], "
      "description: !!str no, cgroup: {cpu_max: \"2\", memory_max: 0}, ready: {log: \"no\"}, "
      "success_exit_codes: 0}}",
      {{"V", "yes"}});
  EXPECT_EQ(text_of(result.diagnostics), "");
}

}  // namespace
}  // namespace belfry::config
