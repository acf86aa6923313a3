// Connection.Start, and what stands in its place.
#include "probes/protocols/amqp_greeting.hpp"

#include <gtest/gtest.h>

#include "tests/probes/protocols/conversation.hpp"

namespace belfry::probes {
namespace {

using namespace std::string_view_literals;
using test::outcome;
using test::outcome_of_end;

std::string number(std::size_t value) {
  std::string four;
  for (unsigned shift = 32; shift > 0; shift -= 8) four += static_cast<char>(value >> (shift - 8U) & 0xFFU);
  return four;
}
std::string long_text(std::string_view text) { return number(text.size()) + std::string(text); }
std::string frame(std::string_view payload) {
  return std::string("\x01\0\0"sv) + number(payload.size()) + std::string(payload) + '\xCE';
}
std::string start(std::string_view properties = "\7productS\0\0\0\10RabbitMQ"sv) {
  return std::string("\0\x0A\0\x0A\0\x09"sv) + long_text(properties) + long_text("PLAIN AMQPLAIN") +
         long_text("en_US");
}
std::string answered(std::string_view bytes) {
  AmqpGreeting dialogue;
  return outcome(dialogue, bytes);
}

TEST(AmqpGreeting, names_the_protocol_and_takes_connection_start) {
  AmqpGreeting dialogue;
  EXPECT_EQ(test::first_words(dialogue), "AMQP\0\0\x09\x01"sv);
  EXPECT_EQ(outcome(dialogue, frame(start())), "done");
  EXPECT_EQ(outcome(dialogue, frame(start(std::string(20'000, 'p')))), "done");
}

TEST(AmqpGreeting, waits_for_all_of_it) {
  const std::string whole = frame(start());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(answered(std::string_view(whole).substr(0, size)), "listens") << size;
}

TEST(AmqpGreeting, another_version_is_named) {
  EXPECT_EQ(answered("AMQP\0\1\0\0"sv), "it speaks AMQP 1.0 and not AMQP 0-9-1");
  EXPECT_EQ(answered("AMQP\3\1\0\0"sv), "it speaks AMQP 1.0 and not AMQP 0-9-1");
  EXPECT_EQ(answered("AMQP\1\1\0\x0A"sv), "it speaks AMQP 1-1-0-10 and not AMQP 0-9-1 (0-0-9-1)");
}

TEST(AmqpGreeting, what_is_no_start_is_refused) {
  const std::string not_amqp = "it does not speak AMQP 0-9-1";
  std::string bad_end = frame(start());
  bad_end.back() = 'x';
  EXPECT_TRUE(answered(bad_end).starts_with(not_amqp));
  EXPECT_TRUE(answered(frame(start() + "x")).starts_with(not_amqp));
  EXPECT_TRUE(answered(frame(start().substr(0, 30))).starts_with(not_amqp));
  EXPECT_TRUE(answered(frame("\0\x0A\0\x32"sv)).starts_with(not_amqp));  // Connection.Close
  EXPECT_TRUE(answered(frame("")).starts_with(not_amqp));
  EXPECT_TRUE(answered("\x01\0\0\xFF\xFF\xFF\xFF"sv).starts_with(not_amqp));
  AmqpGreeting dialogue;
  const std::string heartbeat = outcome(dialogue, "\x08\0\0\0\0\0\0\xCE"sv, std::string_view::npos);
  EXPECT_TRUE(heartbeat.starts_with(not_amqp)) << heartbeat;
}

TEST(AmqpGreeting, others_are_named) {
  EXPECT_EQ(answered("HTTP/1.1 400 Bad Request\r\n"), "it speaks HTTP and not AMQP 0-9-1");
  EXPECT_EQ(answered("\x15\x03\x03\0\2\2\x46"sv), "it speaks TLS and not AMQP 0-9-1: add `tls: true`");
  AmqpGreeting dialogue;
  EXPECT_EQ(outcome_of_end(dialogue, ""), "it closed the connection without an answer");
  EXPECT_TRUE(
      outcome_of_end(dialogue, "220").starts_with("it does not speak AMQP 0-9-1: it answered \"220\""));
}

TEST(AmqpGreeting, garbage_without_end_has_an_end) {
  AmqpGreeting dialogue;
  EXPECT_LT(test::patience(dialogue, "", "xyz"), 16U);
  EXPECT_LT(test::patience(dialogue, "\x01\0\0\0\0\xFF\xFF"sv, std::string(4096, 'x')), 80'000U);
}

}  // namespace
}  // namespace belfry::probes
