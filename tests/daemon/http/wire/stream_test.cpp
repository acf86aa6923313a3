// Answers that go on as long as there is news, over real sockets.
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/daemon/http/wire/server_rig.hpp"

namespace belfry::daemon::http {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct StreamTest : ServerTest {
  void write(std::string_view service, State to = State::ready, std::string_view cause = {}) {
    journal.append(
        {.kind = EventKind::state, .from = State::starting, .to = to, .service = service, .cause = cause});
  }
  // More than the kernel keeps for a reader who does not read.
  void flood(int events = 20'000) {
    const std::string cause(200, 'x');
    for (int i = 0; i < events; ++i) {
      write("db", State::failed, cause);
      if (i % 100 == 0) {
        turn();
        loop.advance(1ms);
      }
    }
    turn();
  }
  void settle(Duration by = 100ms) {
    turn();
    loop.advance(by);
    turn();
  }
};

TEST_F(StreamTest, it_begins_at_once_and_brings_what_happens_from_then_on) {
  write("before");
  Client client(open());
  client.get("/v1/events");
  settle();
  const std::string head = client.received();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nContent-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  EXPECT_THAT(head, HasSubstr("retry: 2000\n\n"));
  EXPECT_THAT(head, Not(HasSubstr("before")));
  write("db");
  settle();
  const std::string event = client.received();
  EXPECT_THAT(event, HasSubstr("\nid: "));
  EXPECT_THAT(event, HasSubstr("\"service\":\"db\""));
  EXPECT_THAT(event, EndsWith("}\n\n\r\n"));
}

TEST_F(StreamTest, each_chunk_says_how_long_it_is) {
  Client client(open());
  client.get("/v1/events?since=0");
  settle();
  (void)client.received();
  write("db");
  settle();
  const std::string chunk = client.received();
  const std::size_t size = std::stoul(chunk.substr(0, 6), nullptr, 16);
  EXPECT_EQ(chunk.size(), 8 + size + 2);
}

TEST_F(StreamTest, what_happens_in_one_turn_comes_in_one_piece) {
  Client client(open());
  client.get("/v1/events");
  settle();
  (void)client.received();
  for (int i = 0; i < 10; ++i) write("db");
  settle();
  const std::string piece = client.received();
  EXPECT_EQ(8 + std::stoul(piece.substr(0, 6), nullptr, 16) + 2, piece.size());
}

TEST_F(StreamTest, http_1_0_gets_it_as_it_is_and_reads_to_the_end_of_the_connection) {
  Client client(open());
  client.send("GET /v1/events?since=0 HTTP/1.0\r\n\r\n");
  settle();
  const std::string answer = client.received();
  EXPECT_THAT(answer, Not(HasSubstr("Transfer-Encoding")));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nretry: 2000\n\n"));
}

TEST_F(StreamTest, head_is_answered_without_a_stream_and_the_connection_goes_on) {
  Client client(open());
  client.send("HEAD /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  settle();
  const std::string head = client.received();
  EXPECT_THAT(head, HasSubstr("text/event-stream"));
  EXPECT_THAT(head, EndsWith("\r\n\r\n"));
  client.get("/livez");
  settle();
  EXPECT_THAT(client.received(), EndsWith("ok\n"));
}

TEST_F(StreamTest, a_reader_goes_on_behind_the_last_event_that_it_has_seen) {
  for (const char* name : {"one", "two", "three"}) write(name);
  std::string id;
  append_event_id(id, journal, 2);
  Client client(open());
  client.send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: " + id + "\r\n\r\n");
  settle();
  const std::string events = client.received();
  EXPECT_THAT(events, Not(HasSubstr("two")));
  EXPECT_THAT(events, HasSubstr("three"));
  EXPECT_THAT(events, Not(HasSubstr("missed")));
}

TEST_F(StreamTest, an_id_of_another_run_or_of_nobody_is_told_so_and_gets_all_that_is_kept) {
  write("one");
  const std::uint16_t port = open();
  for (const std::string id : {"0-1", "rubbish", "99", "-", "18446744073709551616", "\xff\xfe"}) {
    Client client(port);
    client.send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: " + id + "\r\n\r\n");
    settle();
    const std::string events = client.received();
    EXPECT_THAT(events, HasSubstr("event: missed\ndata: {\"missed\":null,")) << id;
    EXPECT_THAT(events, HasSubstr("\"service\":\"one\"")) << id;
  }
}

TEST_F(StreamTest, an_event_that_has_gone_is_told_with_how_many_are_missing) {
  flood();
  const Sequence first = journal.first();
  ASSERT_GT(first, 10U);
  Client client(open());
  client.send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 9\r\n\r\n");
  settle();
  EXPECT_THAT(client.received(),
              HasSubstr("event: missed\ndata: {\"missed\":" + std::to_string(first - 10) + ","));
}

TEST_F(StreamTest, all_that_is_kept_arrives_at_a_reader_who_reads) {
  flood();
  Client client(open());
  client.get("/v1/events?since=0");
  std::string all;
  std::string last;
  append_event_id(last, journal, journal.next() - 1);
  for (int i = 0; i < 10'000 && !all.contains("id: " + last + "\n"); ++i) {
    settle(2ms);
    all += client.received();
  }
  EXPECT_TRUE(all.contains("id: " + last + "\n"));  // too much to be shown
  EXPECT_EQ(metrics.dropped, 0U);
}

TEST_F(StreamTest, nothing_happens_and_still_the_reader_sees_that_it_lives) {
  Client client(open());
  client.get("/v1/events");
  settle();
  (void)client.received();
  loop.advance(14s);
  EXPECT_EQ(client.received(), "");
  loop.advance(1s);
  EXPECT_EQ(client.received(), "000003\r\n:\n\n\r\n");
  EXPECT_FALSE(client.ended());
}

TEST_F(StreamTest, a_reader_who_goes_leaves_nothing_behind) {
  Client client(open());
  client.get("/v1/events");
  settle();
  EXPECT_EQ(metrics.open, 1U);
  client.close();
  settle();
  EXPECT_EQ(metrics.open, 0U);
}

TEST_F(StreamTest, a_reader_who_closes_his_half_is_taken_to_be_gone) {
  Client client(open());
  client.get("/v1/events");
  settle();
  client.close_half();
  settle();
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(metrics.open, 0U);
}

TEST_F(StreamTest, a_request_that_is_pipelined_behind_it_is_refused_with_it) {
  Client client(open());
  client.send("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  settle();
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(client.ended());
}

TEST_F(StreamTest, whoever_asks_for_more_meanwhile_has_had_his_stream) {
  Client client(open());
  client.get("/v1/events");
  settle();
  client.get("/livez");
  settle();
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(metrics.open, 0U);
}

TEST_F(StreamTest, a_reader_who_stops_reading_is_let_go_and_counted) {
  Client client(open());
  client.get("/v1/events");
  settle();
  flood();
  EXPECT_EQ(metrics.open, 1U);
  loop.advance(31s);
  turn();
  EXPECT_EQ(metrics.open, 0U);
  EXPECT_EQ(metrics.dropped, 1U);
}

TEST_F(StreamTest, a_reader_who_reads_again_too_late_is_told_where_to_go_on) {
  Client client(open());
  client.get("/v1/events");
  settle();
  flood();
  std::string all;
  for (int i = 0; i < 1000 && !client.has_ended(); ++i) {
    all += client.received();
    settle(2ms);
  }
  EXPECT_TRUE(client.has_ended());
  EXPECT_THAT(all, HasSubstr("event: dropped\ndata: {\"because\":"));
  EXPECT_THAT(all, EndsWith("0\r\n\r\n"));
  EXPECT_EQ(metrics.dropped, 1U);
}

TEST_F(StreamTest, a_reader_of_logs_who_reads_again_too_late_is_told_where_to_go_on) {
  stack.add("db");
  Client client(open());
  client.get("/v1/services/db/logs?follow=1");
  settle();
  const std::string lines = std::string(8000, 'x') + "\n" + std::string(8000, 'y') + "\n";
  for (int i = 0; i < 2000; ++i) {
    logs.page(0).add({.bytes = lines}, {});
    settle(2ms);
  }
  EXPECT_EQ(metrics.open, 1U);
  std::string all;
  for (int i = 0; i < 1000 && !client.has_ended(); ++i) {
    all += client.received();
    settle(2ms);
  }
  EXPECT_TRUE(client.has_ended());
  EXPECT_THAT(all.substr(all.size() - 300), HasSubstr("event: dropped\ndata: {\"because\":"));
  EXPECT_EQ(metrics.dropped, 1U);
}

TEST_F(StreamTest, it_ends_in_good_order_with_the_server_and_the_last_words_come_first) {
  Client client(open());
  client.get("/v1/events");
  settle();
  (void)client.received();
  write("last");
  Context patience(loop);
  stop(patience);
  settle();
  ASSERT_TRUE(stopped);
  const std::string rest = client.received();
  EXPECT_THAT(rest, HasSubstr("\"service\":\"last\""));
  EXPECT_THAT(rest, EndsWith("\r\n0\r\n\r\n"));
  EXPECT_TRUE(client.ended());
}

TEST_F(StreamTest, there_are_so_many_places_and_the_next_one_is_told_to_come_again) {
  ServerLimits limits;
  limits.streams = 2;
  const std::uint16_t port = open(limits);
  Client one(port), two(port), three(port);
  for (Client* client : {&one, &two, &three}) {
    client->get("/v1/events");
    settle();
  }
  EXPECT_THAT(three.received(), StartsWith("HTTP/1.1 429 "));
  one.close();
  settle();
  three.get("/v1/events");
  settle();
  EXPECT_THAT(three.received(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(StreamTest, whoever_asks_for_the_health_finds_a_place_among_readers) {
  ServerLimits limits;
  limits.connections = 2;
  limits.streams = 2;
  const std::uint16_t port = open(limits);
  Client one(port), two(port);
  one.get("/v1/events");
  two.get("/v1/events");
  settle();
  Client health(port);
  health.get("/livez");
  settle();
  EXPECT_THAT(health.received(), EndsWith("ok\n"));
  EXPECT_TRUE(one.ended());
  EXPECT_FALSE(two.ended());
}

TEST_F(StreamTest, services_and_kinds_can_be_chosen) {
  stack.add("db");
  Client client(open());
  client.get("/v1/events?service=db&kind=state&kind=bell");
  settle();
  (void)client.received();
  write("api");
  journal.append({.kind = EventKind::notice, .service = "db", .cause = "noticed"});
  write("db");
  settle();
  const std::string events = client.received();
  EXPECT_THAT(events, Not(HasSubstr("api")));
  EXPECT_THAT(events, Not(HasSubstr("notice")));
  EXPECT_THAT(events, HasSubstr("\"service\":\"db\""));
}

}  // namespace
}  // namespace belfry::daemon::http
