#include "daemon/http/wire/parser.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon::http {
namespace {

ParseState feed(RequestParser& parser, std::string& bytes) {
  std::size_t consumed = 0;
  const ParseState state = parser.feed(bytes, consumed);
  bytes.erase(0, consumed);
  return state;
}

int refused_with(std::string bytes, ParserLimits limits = {}) {
  RequestParser parser(limits);
  if (feed(parser, bytes) != ParseState::refused) return 0;
  EXPECT_TRUE(parser.refusal().close);
  return parser.refusal().status;
}

TEST(RequestParser, a_request_is_read_whole) {
  RequestParser parser({});
  std::string bytes =
      "GET /readyz?verbose HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nX-Other: 1\r\n\r\n";
  ASSERT_EQ(feed(parser, bytes), ParseState::complete);
  EXPECT_EQ(parser.request().method, Method::get);
  EXPECT_EQ(parser.request().target, "/readyz?verbose");
  EXPECT_EQ(parser.request().host, "localhost");
  EXPECT_EQ(parser.request().accept, "text/html");
  EXPECT_TRUE(parser.request().keep_alive);
  EXPECT_TRUE(bytes.empty());
}

TEST(RequestParser, a_request_may_come_byte_by_byte) {
  RequestParser parser({});
  const std::string whole = "POST /v1/shutdown HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";
  std::string pending;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    pending += whole[i];
    ASSERT_EQ(feed(parser, pending), i + 1 == whole.size() ? ParseState::complete : ParseState::need_more)
        << i;
  }
  EXPECT_EQ(parser.request().target, "/v1/shutdown");
  EXPECT_EQ(parser.request().body, "body");
}

TEST(RequestParser, a_request_behind_another_is_left_alone) {
  RequestParser parser({});
  std::string bytes = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: y\r\n\r\n";
  ASSERT_EQ(feed(parser, bytes), ParseState::complete);
  EXPECT_EQ(parser.request().target, "/a");
  parser.reset();
  ASSERT_EQ(feed(parser, bytes), ParseState::complete);
  EXPECT_EQ(parser.request().target, "/b");
  EXPECT_EQ(parser.request().host, "y");
}

TEST(RequestParser, an_empty_line_before_a_request_is_ignored) {
  RequestParser parser({});
  std::string bytes = "\r\n\r";
  EXPECT_EQ(feed(parser, bytes), ParseState::need_more);
  EXPECT_FALSE(parser.begun());
  bytes += "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(feed(parser, bytes), ParseState::complete);
}

TEST(RequestParser, a_chunked_body_is_put_together) {
  RequestParser parser({});
  std::string bytes =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  ASSERT_EQ(feed(parser, bytes), ParseState::complete);
  EXPECT_EQ(parser.request().body, "abcde");
}

TEST(RequestParser, garbage_is_refused) {
  EXPECT_EQ(refused_with("\x16\x03\x01\x02\x01\x01\x01\r\n\r\n"), 400);  // a TLS hello
  EXPECT_EQ(refused_with("GET\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET / HTTP/1.1\r\nno colon\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET / HTTP/1.1\nHost: x\n\n"), 505);
  EXPECT_EQ(refused_with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
}

TEST(RequestParser, a_host_is_needed_once) {
  EXPECT_EQ(refused_with("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refused_with("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  RequestParser parser({});
  std::string old = "GET / HTTP/1.0\r\n\r\n";
  EXPECT_EQ(feed(parser, old), ParseState::complete);
  EXPECT_FALSE(parser.request().keep_alive);
}

TEST(RequestParser, what_hides_the_end_of_a_body_is_refused) {
  EXPECT_EQ(refused_with("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"), 501);
  EXPECT_EQ(refused_with("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), 501);
  EXPECT_EQ(refused_with("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            400);
  EXPECT_EQ(
      refused_with("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
      400);
}

TEST(RequestParser, a_head_over_the_limit_is_431_however_it_is_cut) {
  EXPECT_EQ(refused_with("GET /" + std::string(9000, 'a')), 431);
  EXPECT_EQ(refused_with("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(9000, 'a')), 431);
  RequestParser parser({});
  std::string bytes = "GET /" + std::string(4000, 'a') + " HTTP/1.1\r\nHost: x\r\n";
  ParseState state = feed(parser, bytes);
  for (int i = 0; i < 600 && state == ParseState::need_more; ++i) {
    bytes += "X-Header: 12345\r\n";
    state = feed(parser, bytes);
  }
  ASSERT_EQ(state, ParseState::refused);
  EXPECT_EQ(parser.refusal().status, 431);
}

TEST(RequestParser, a_body_over_the_limit_is_413) {
  EXPECT_EQ(refused_with("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"), 413);
  EXPECT_EQ(refused_with("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n"), 413);
}

TEST(RequestParser, a_client_that_asks_first_is_told_to_go_on) {
  RequestParser parser({});
  std::string bytes = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  ASSERT_EQ(feed(parser, bytes), ParseState::need_more);
  EXPECT_TRUE(parser.wants_continue());
  bytes += "ab";
  ASSERT_EQ(feed(parser, bytes), ParseState::complete);
  EXPECT_FALSE(parser.wants_continue());
}

}  // namespace
}  // namespace belfry::daemon::http
