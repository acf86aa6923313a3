// The top level of the file and its ports.
#include "config/decode/decode.hpp"

#include <gtest/gtest.h>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

TEST(DecodeStack, the_top_level_reaches_the_model) {
  const Stack stack = good(
      "name: shop\nhttp: {listen: ['127.0.0.1:9600', 'unix:run/http']}\ncontrol: {socket: /s, allow: [ops], "
      "token_file: t}\nshutdown: {timeout: 5s, delay: 1s}\n"
      "limits: {probes: 3, parallel_starts: 2}\non_daemon_death: keep\nservices: {x: {command: a}}");
  EXPECT_EQ(stack.name, "shop");
  EXPECT_EQ(stack.http.listen, (std::vector<std::string>{"127.0.0.1:9600", "unix:/nowhere/run/http"}));
  EXPECT_EQ(stack.control.socket, "/s");
  EXPECT_EQ(stack.control.token_file, "/nowhere/t");
  EXPECT_EQ(stack.shutdown.delay, 1s);
  EXPECT_EQ(stack.probe_limit, 3U);
  EXPECT_EQ(stack.parallel_starts, 2U);
  EXPECT_EQ(stack.on_daemon_death, OnDaemonDeath::keep);
}
TEST(Ports, free_ones_are_distinct_and_become_variables) {
  const Stack stack = good(
      "ports: {web: free, api: free, fixed: 8080}\nservices: {x: {command: 'run ${PORT_web} ${PORT_fixed}', "
      "ready: {port: '${PORT_api}'}}}");
  ASSERT_EQ(stack.ports.size(), 3U);
  EXPECT_NE(stack.ports[0].second, stack.ports[1].second);
  EXPECT_EQ(stack.services[0].command[1], std::to_string(stack.ports[0].second));
  EXPECT_EQ(stack.services[0].command[2], "8080");
  EXPECT_EQ(stack.services[0].ready.probes[0].port, stack.ports[1].second);
}
TEST(Ports, of_a_file_without_free_ones_are_not_looked_for) {
  LoadOptions options;
  options.free_ports = [](std::size_t) -> std::vector<std::uint16_t> { throw std::logic_error("asked"); };
  EXPECT_EQ(good("ports: {web: 80}\nservices: {x: {command: a}}", {}, options).ports[0].second, 80);
}
TEST(Ports, that_nobody_finds_are_an_error_at_their_place) {
  LoadOptions options;
  options.free_ports = [](std::size_t) { return std::vector<std::uint16_t>{4711}; };
  const std::string said =
      text_of(loaded("ports: {web: free, api: free}\nservices: {x: {command: a}}", {}, options).diagnostics);
  EXPECT_TRUE(said.contains("1:25: error: cannot find a free port on loopback")) << said;
}
TEST(Ports, that_nobody_looks_for_are_an_error_that_says_so) {
  const Loaded result = load_text("ports: {web: free}\nservices: {x: {command: a}}", "/nowhere/test.yaml");
  EXPECT_TRUE(text_of(result.diagnostics).contains("1:14: error: cannot choose a free port: "))
      << text_of(result.diagnostics);
}
TEST(Ports, handed_out_before_stay_on_reload) {
  EXPECT_EQ(
      good("ports: {web: free}\nservices: {x: {command: a}}", {}, {.ports = {{"web", 4321}}}).ports[0].second,
      4321);
}

}  // namespace
}  // namespace belfry::config
