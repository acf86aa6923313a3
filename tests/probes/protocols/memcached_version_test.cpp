// What memcached answers, and what others do.
#include "probes/protocols/memcached_version.hpp"

#include <gtest/gtest.h>

#include "tests/probes/protocols/conversation.hpp"

namespace belfry::probes {
namespace {

using test::outcome;
using test::outcome_of_end;

TEST(MemcachedVersion, asks_for_the_version_and_says_goodbye) {
  MemcachedVersion dialogue;
  EXPECT_EQ(test::first_words(dialogue), "version\r\n");
  EXPECT_EQ(outcome(dialogue, "VERSION 1.6.18\r\n"), "done");
  EXPECT_EQ(dialogue.farewell(), "quit\r\n");
}

TEST(MemcachedVersion, waits_for_the_end_of_the_line) {
  MemcachedVersion dialogue;
  EXPECT_EQ(outcome(dialogue, "VERSION 1.6.18\r"), "listens");
  EXPECT_EQ(outcome_of_end(dialogue, ""), "it closed the connection without an answer");
}

TEST(MemcachedVersion, a_refusal_is_told) {
  MemcachedVersion dialogue;
  EXPECT_EQ(outcome(dialogue, "CLIENT_ERROR unauthenticated\r\n"), "it asks for a user and a password");
  EXPECT_EQ(outcome(dialogue, "SERVER_ERROR out of memory\r\n"),
            "it answered \"SERVER_ERROR out of memory\"");
  EXPECT_EQ(outcome(dialogue, "ERROR\r\n"), "it answered \"ERROR\"");
}

TEST(MemcachedVersion, others_are_named) {
  MemcachedVersion dialogue;
  EXPECT_EQ(outcome(dialogue, "HTTP/1.1 400 Bad Request\r\n"), "it speaks HTTP and not memcached's protocol");
  EXPECT_EQ(outcome(dialogue, "-ERR unknown command\r\n"),
            "it does not speak memcached's protocol: it answered \"-ERR unknown command\"");
  EXPECT_EQ(outcome_of_end(dialogue, std::string_view("\x15\x03\x03\0\2\2\x46", 7)),
            "it speaks TLS and not memcached's protocol: add `tls: true`");
}

TEST(MemcachedVersion, an_endless_line_has_an_end) {
  MemcachedVersion dialogue;
  EXPECT_LT(test::patience(dialogue, "VERSION ", std::string(100, '1')), 2048U);
}

TEST(MemcachedVersion, begins_anew) {
  MemcachedVersion dialogue;
  EXPECT_EQ(outcome(dialogue, "VERSION 1.6"), "listens");
  EXPECT_EQ(outcome(dialogue, "VERSION 1.6.18\r\n"), "done");
}

}  // namespace
}  // namespace belfry::probes
