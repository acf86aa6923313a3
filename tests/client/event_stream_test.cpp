#include "client/event_stream.hpp"

#include <gtest/gtest.h>

#include "client/events.hpp"

namespace belfry::client {
namespace {

std::vector<StreamMessage> all_at_once(std::string_view bytes) {
  EventReader reader;
  return reader.take(bytes);
}

std::vector<StreamMessage> byte_by_byte(std::string_view bytes) {
  EventReader reader;
  std::vector<StreamMessage> all;
  for (const char c : bytes) {
    for (StreamMessage& message : reader.take({&c, 1})) all.push_back(std::move(message));
  }
  return all;
}

TEST(EventReader, messages_are_read_in_any_pieces) {
  constexpr std::string_view text =
      "retry: 2000\n\nid: 1-1\ndata: {\"a\":1}\n\n:\n\nevent: dropped\r\ndata: x\r\n\r\ndata:y\ndata: z\n\n";
  for (const auto& messages : {all_at_once(text), byte_by_byte(text)}) {
    ASSERT_EQ(messages.size(), 3U);
    EXPECT_EQ(messages[0].id, "1-1");
    EXPECT_EQ(messages[0].type, "");
    EXPECT_EQ(messages[0].data, "{\"a\":1}");
    EXPECT_EQ(messages[1].type, "dropped");
    EXPECT_EQ(messages[1].data, "x");
    EXPECT_EQ(messages[1].id, "1-1");  // the last one that was said
    EXPECT_EQ(messages[2].type, "");
    EXPECT_EQ(messages[2].data, "y\nz");
  }
}

TEST(EventReader, a_message_is_one_when_its_empty_line_has_come) {
  EventReader reader;
  EXPECT_TRUE(reader.take("data: 1\n").empty());
  EXPECT_EQ(reader.take("\n").size(), 1U);
}

TEST(EventReader, a_line_without_end_is_bounded_and_what_follows_is_read) {
  EventReader reader;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(reader.take(std::string(65536, 'x')).empty());
  EXPECT_EQ(reader.take("\n\ndata: 1\n\n").size(), 1U);
}

TEST(Events, an_event_is_read_with_its_evidence) {
  const auto event = read_event(
      R"({"sequence":3,"time":"2026-11-20T20:43:28.000Z","monotonic_ns":5,"kind":"state","service":"db",)"
      R"("incarnation":1,"from":"starting","state":"ready","cause":null,)"
      R"("evidence":{"probe":"log","place":0,"port":null,"pid":7,"words":"up"}})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->sequence, 3);
  EXPECT_EQ(event->service, "db");
  EXPECT_EQ(event->state, "ready");
  EXPECT_EQ(event->cause, "");
  EXPECT_EQ(event->probe, "log");
  EXPECT_EQ(event->pid, 7);
  EXPECT_EQ(event->port, 0);
  EXPECT_EQ(event->words, "up");
  EXPECT_EQ(event->json.find('\n'), std::string::npos);
}

TEST(Events, what_is_no_event_is_none) {
  EXPECT_FALSE(read_event("[]"));
  EXPECT_FALSE(read_event("{"));
  EXPECT_FALSE(read_event_page("{\"events\":1}"));
  EXPECT_FALSE(read_event_page("nonsense"));
}

TEST(Events, a_page_says_where_the_next_one_begins) {
  const auto page = read_event_page(R"({"run":"1a","first":1,"last":9,"missed":2,"events":[{"sequence":4}],)"
                                    R"("since":4,"more":true})");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->events.size(), 1U);
  EXPECT_EQ(page->missed, 2);
  EXPECT_EQ(page->since, 4);
  EXPECT_TRUE(page->more);
}

}  // namespace
}  // namespace belfry::client
