// Numbers and bytes on the wire. The vectors are those of https://protobuf.dev/programming-guides/encoding,
// or follow from it by hand.
#include "daemon/cluster/etcd/protobuf.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace belfry::daemon::etcd {
namespace {

using namespace std::string_literals;

// "number:value" for each field; "broken" at the end of what is not well-formed.
std::string told(std::string_view message) {
  std::string out;
  Fields fields(message);
  while (fields.next()) out += std::to_string(fields.number()) + " ";
  return out + (fields.whole() ? "whole" : "broken");
}

TEST(Protobuf, numbers_are_written_in_groups_of_seven_bits) {
  std::string out;
  put_number(out, 1, 150);
  EXPECT_EQ(out, "\x08\x96\x01"s);
  out.clear();
  put_signed(out, 3, -1);
  EXPECT_EQ(out, "\x18\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"s);
  out.clear();
  put_number(out, 64, 1);
  EXPECT_EQ(out, "\x80\x04\x01"s);
}

TEST(Protobuf, what_is_zero_or_empty_is_left_out_unless_its_being_there_says_something) {
  std::string out;
  put_number(out, 1, 0);
  put_bytes(out, 2, "");
  EXPECT_EQ(out, "");
  put_chosen(out, 5, 0);
  put_message(out, 1, "");
  EXPECT_EQ(out, "\x28\x00\x0A\x00"s);
}

TEST(Protobuf, what_was_written_is_read) {
  std::string out;
  put_signed(out, 1, std::numeric_limits<std::int64_t>::min());
  put_bytes(out, 2, "testing");
  put_number(out, 3, std::numeric_limits<std::uint64_t>::max());
  Fields fields(out);
  ASSERT_TRUE(fields.next());
  EXPECT_EQ(fields.signed_value(), std::numeric_limits<std::int64_t>::min());
  ASSERT_TRUE(fields.next());
  EXPECT_EQ(fields.bytes(), "testing");
  ASSERT_TRUE(fields.next());
  EXPECT_EQ(fields.unsigned_value(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_FALSE(fields.next());
  EXPECT_TRUE(fields.whole());
}

TEST(Protobuf, types_that_nobody_asks_for_are_passed_over) {
  EXPECT_EQ(told("\x09"s
                 "12345678"
                 "\x15"s
                 "1234"
                 "\x1A\x02"
                 "ab"
                 "\x20\x01"s),
            "1 2 3 4 whole");
}

TEST(Protobuf, what_is_not_well_formed_is_broken_wherever_it_is_cut_off) {
  EXPECT_EQ(told("\x08"s), "broken");                                          // no value
  EXPECT_EQ(told("\x08\x80"s), "broken");                                      // half a number
  EXPECT_EQ(told("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"s), "broken");  // more than 64 bits
  EXPECT_EQ(told("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"s), "broken");
  EXPECT_EQ(told("\x0A\x05"
                 "abcd"s),
            "broken");  // longer than the message
  EXPECT_EQ(told("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"s), "broken");
  EXPECT_EQ(told("\x09"
                 "1234567"s),
            "broken");
  EXPECT_EQ(told("\x0D"
                 "123"s),
            "broken");
  EXPECT_EQ(told("\x0B"s), "broken");                                    // a group
  EXPECT_EQ(told("\x0F"s), "broken");                                    // no type at all
  EXPECT_EQ(told("\x00\x01"s), "broken");                                // field 0
  EXPECT_EQ(told("\x08\x01\x80\x80\x80\x80\x80\x01\x01"s), "1 broken");  // a field's number beyond 32 bits
}

TEST(Protobuf, a_field_of_another_type_than_is_asked_for_breaks_the_message) {
  const std::string one = "\x08\x01"s;
  Fields number(one);
  ASSERT_TRUE(number.next());
  EXPECT_EQ(number.bytes(), "");
  EXPECT_FALSE(number.next());
  EXPECT_FALSE(number.whole());
  const std::string a =
      "\x0A\x01"
      "a"s;
  Fields bytes(a);
  ASSERT_TRUE(bytes.next());
  EXPECT_EQ(bytes.unsigned_value(), 0U);
  EXPECT_FALSE(bytes.whole());
}

}  // namespace
}  // namespace belfry::daemon::etcd
