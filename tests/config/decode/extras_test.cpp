// Rarer keys: sockets, limits of restarting.
#include "config/decode/decode.hpp"

#include <gtest/gtest.h>

#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;

TEST(DecodeExtras, restart_limits_may_name_a_time) {
  const Rarely<Restart> restart =
      with_keys("restart: {policy: always, limit: 10 per 5m}").services[0].restart;
  EXPECT_EQ(restart->limit, 10U);
  EXPECT_EQ(restart->limit_window, 5min);
  EXPECT_EQ(with_keys("restart: {limit: 3}").services[0].restart->limit_window, 0s);
}
TEST(DecodeExtras, listen_is_an_address_a_list_or_a_mapping) {
  const Stack single = with_keys("listen: '127.0.0.1:80'");
  const auto& one = single.services[0].extras->listen;
  EXPECT_EQ(one.at(0).name, "x");
  EXPECT_EQ(one.at(0).port, 80);
  const Stack stack = with_keys(
      "listen: {web: 'udp:[::1]:53', api: {address: 'unix:run/api.sock', mode: '0660', backlog: 9}}");
  const auto& many = stack.services[0].extras->listen;
  EXPECT_EQ(many.at(0).kind, ListenSocket::Kind::udp);
  EXPECT_EQ(many.at(0).address, "::1");
  EXPECT_EQ(many.at(1).address, "/nowhere/run/api.sock");
  EXPECT_EQ(many.at(1).mode, 0660U);
  EXPECT_EQ(many.at(1).backlog, 9U);
}

}  // namespace
}  // namespace belfry::config
