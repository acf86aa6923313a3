// `send` and `expect`, without a server.
#include "probes/protocols/tcp_exchange.hpp"

#include <gtest/gtest.h>

namespace belfry::probes {
namespace {

using Step = Dialogue::Step;

TcpExchange expecting(const char* pattern, std::string said = {}) {
  return {std::move(said), std::move(*config::Pattern::compile(pattern))};
}

TEST(TcpExchange, what_is_said_is_enough_where_nothing_is_expected) {
  TcpExchange exchange("PING\r\n", std::nullopt);
  std::string say;
  EXPECT_EQ(exchange.begin(say), Step::done);
  EXPECT_EQ(say, "PING\r\n");
}

TEST(TcpExchange, what_is_expected_may_come_in_pieces) {
  TcpExchange exchange = expecting("\\+PONG\\r\\n", "PING\r\n");
  std::string say;
  EXPECT_EQ(exchange.begin(say), Step::listen);
  EXPECT_EQ(exchange.hear("-x\r\n+PO", say), Step::listen);
  EXPECT_EQ(exchange.hear("NG\r\n", say), Step::done);
  EXPECT_EQ(exchange.begin(say), Step::listen);  // and nothing is left of it
  EXPECT_EQ(exchange.hear("NG\r\n", say), Step::listen);
}

TEST(TcpExchange, who_says_something_else_is_quoted) {
  TcpExchange exchange = expecting("^220 ");
  std::string say;
  (void)exchange.begin(say);
  EXPECT_EQ(exchange.ended().error().text(), "it closed the connection without a word");
  EXPECT_EQ(exchange.hear("554 no\x1b\r\n", say), Step::listen);
  EXPECT_EQ(exchange.ended().error().text(),
            "it closed the connection, and `expect` does not match \"554 no\\u001b\\r\\n\"");
}

TEST(TcpExchange, a_flood_is_cut_off) {
  TcpExchange exchange = expecting("x");
  std::string say;
  (void)exchange.begin(say);
  const std::string flood(4096, 'a');
  for (int i = 0; i < 3; ++i) EXPECT_EQ(exchange.hear(flood, say), Step::listen);
  const auto step = exchange.hear(flood, say);
  ASSERT_FALSE(step);
  EXPECT_TRUE(
      step.error().text().starts_with("`expect` does not match the first 16 KiB of what it says, \"aaa"));
}

}  // namespace
}  // namespace belfry::probes
