#include "daemon/notify_message.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon {
namespace {

TEST(NotifyMessage, ready_and_status_come_in_one_datagram) {
  const auto message = parse_notify_message("STATUS=accepting connections\nREADY=1\n");
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->ready);
  EXPECT_EQ(message->status, "accepting connections");
}

TEST(NotifyMessage, unknown_assignments_are_ignored) {
  const auto message = parse_notify_message("X_OWN=1\nREADY=0\nREADY=1x\nnonsense");
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->ready);
}

TEST(NotifyMessage, stopping_and_reloading_are_told_apart) {
  EXPECT_TRUE(parse_notify_message("STOPPING=1")->stopping);
  EXPECT_TRUE(parse_notify_message("RELOADING=1\nMONOTONIC_USEC=12")->reloading);
}

TEST(NotifyMessage, one_trailing_nul_is_fine_and_one_inside_is_refused) {
  EXPECT_TRUE(parse_notify_message(std::string_view("READY=1\0", 8))->ready);
  const auto refused = parse_notify_message(std::string_view("READY=1\0STATUS=x", 16));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "cannot take a notify message: it contains a NUL");
}

TEST(NotifyMessage, more_than_4096_bytes_are_refused) {
  EXPECT_TRUE(parse_notify_message(std::string(4096, 'x')));
  EXPECT_FALSE(parse_notify_message(std::string(4097, 'x')));
}

TEST(NotifyMessage, a_status_that_is_not_utf8_is_refused) {
  EXPECT_TRUE(parse_notify_message("STATUS=grün"));
  EXPECT_FALSE(parse_notify_message("STATUS=\xff"));
  EXPECT_FALSE(parse_notify_message("STATUS=\xe2\x82"));  // cut in the middle of a character
  EXPECT_FALSE(parse_notify_message("STATUS=\xc0\xaf"));  // overlong
}

TEST(NotifyMessage, an_empty_datagram_says_nothing) {
  const auto message = parse_notify_message("");
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->ready || message->stopping || message->reloading || message->status);
}

}  // namespace
}  // namespace belfry::daemon
