#include "relay/gate.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <initializer_list>

namespace belfry::relay {
namespace {

using testing::HasSubstr;

constexpr std::string_view key = "0123456789abcdef", secret = "fedcba9876543210";

std::string request(std::string_view line, std::initializer_list<std::string_view> fields = {}) {
  std::string text = std::string(line) + " HTTP/1.1\r\n";
  for (const std::string_view field : fields) (text += field) += "\r\n";
  return text + "\r\n";
}

struct GateTest : testing::Test {
  Gate gate{std::string(key), std::string(secret)};

  // 0: to the daemon; 200: the secret; else the status of the refusal.
  int judged(std::string_view line, std::initializer_list<std::string_view> fields) {
    const auto head = read_head(request(line, fields));
    if (!head) return head.error().status;
    const auto pass = gate.judge(*head);
    if (!pass) return pass.error().status;
    return *pass == Gate::Pass::secret ? 200 : 0;
  }
};

constexpr std::string_view here = "Host: 127.0.0.1:9700",
                           with_secret = "Authorization: Bearer fedcba9876543210",
                           with_key = "Authorization: Bearer 0123456789abcdef";

TEST_F(GateTest, the_page_itself_is_for_everybody_on_this_host) {
  EXPECT_EQ(judged("GET /", {here}), 0);
  EXPECT_EQ(judged("HEAD /?x=1", {here}), 0);
  EXPECT_EQ(judged("POST /", {here}), 401);
}

TEST_F(GateTest, everything_else_needs_the_secret) {
  for (const char* line : {"GET /v1/services", "GET /metrics", "GET /livez", "POST /v1/shutdown", "GET //"}) {
    EXPECT_EQ(judged(line, {here}), 401) << line;
    EXPECT_EQ(judged(line, {here, "Authorization: Bearer fedcba9876543211"}), 401) << line;
    EXPECT_EQ(judged(line, {here, "Authorization: Basic fedcba9876543210"}), 401) << line;
    EXPECT_EQ(judged(line, {here, with_key}), 401) << line;
    EXPECT_EQ(judged(line, {here, with_secret}), 0) << line;
  }
}

TEST_F(GateTest, the_key_of_the_link_is_good_once) {
  EXPECT_EQ(judged("GET /dashboard/session", {here, with_key}), 401);
  EXPECT_EQ(judged("POST /dashboard/session", {here}), 401);
  EXPECT_EQ(judged("POST /dashboard/session", {here, with_secret}), 401);
  EXPECT_EQ(judged("POST /dashboard/session", {here, with_key}), 200);
  EXPECT_EQ(judged("POST /dashboard/session", {here, with_key}), 401);
  EXPECT_EQ(judged("POST /dashboard/session", {here, "Authorization: Bearer "}), 401);
}

TEST_F(GateTest, a_name_that_is_none_of_loopback_is_refused_whatever_it_brings) {
  for (const char* host :
       {"Host: evil.example", "Host: 127.0.0.1.evil.example", "Host: localhost.evil.example",
        "Host: 127.0.0.1:9700@evil", "Host: 10.0.0.1:9700", "Host: ", "Host: 127.0.0.1:"})
    EXPECT_EQ(judged("GET /v1/services", {host, with_secret}), 403) << host;
  EXPECT_EQ(judged("GET /", {}), 403);
  for (const char* host : {"Host: localhost:1", "Host: LOCALHOST", "Host: [::1]:9700", "Host: 127.0.0.1"})
    EXPECT_EQ(judged("GET /v1/services", {host, with_secret}), 0) << host;
}

TEST_F(GateTest, a_page_of_another_server_is_refused) {
  for (const char* origin : {"Origin: http://evil.example", "Origin: null", "Origin: http://127.0.0.1:9701",
                             "Origin: https://127.0.0.1:9700", "Origin: "})
    EXPECT_EQ(judged("POST /v1/shutdown", {here, with_secret, origin}), 403) << origin;
  EXPECT_EQ(judged("POST /v1/shutdown", {here, with_secret, "Origin: http://127.0.0.1:9700"}), 0);
}

TEST_F(GateTest, what_no_browser_of_ours_does_is_refused) {
  EXPECT_EQ(judged("OPTIONS /v1/shutdown", {here, with_secret}), 405);
  EXPECT_EQ(judged("DELETE /v1/services", {here, with_secret}), 405);
  EXPECT_EQ(judged("GET http://127.0.0.1/v1/services", {here, with_secret}), 400);
  EXPECT_EQ(judged("GET", {here}), 400);
  EXPECT_EQ(judged("GET /", {here, "no colon"}), 400);
  EXPECT_EQ(judged("GET /", {here, here}), 400);
  EXPECT_EQ(judged("POST /v1/reload", {here, with_secret, "Transfer-Encoding: chunked"}), 411);
  EXPECT_EQ(judged("POST /v1/reload", {here, with_secret, "Content-Length: 1000000"}), 413);
  EXPECT_EQ(judged("POST /v1/reload", {here, with_secret, "Content-Length: 5x"}), 413);
}

TEST(Head, the_daemon_sees_neither_the_secret_nor_who_keeps_the_connection) {
  const auto head = read_head(request(
      "GET /v1/events?since=3", {here, with_secret, "Accept: text/event-stream", "Connection: keep-alive",
                                 "Origin: http://127.0.0.1:9700", "Last-Event-ID: 1-3"}));
  ASSERT_TRUE(head);
  EXPECT_EQ(head->forwarded,
            "GET /v1/events?since=3 HTTP/1.1\r\nHost: 127.0.0.1:9700\r\nAccept: "
            "text/event-stream\r\nLast-Event-ID: "
            "1-3\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(head->body, 0U);
}

TEST(Head, a_line_end_within_a_field_starts_no_second_request) {
  EXPECT_FALSE(read_head("GET / HTTP/1.1\r\nHost: a\nGET /v1/shutdown HTTP/1.1\r\n\r\n"));
  EXPECT_FALSE(read_head("GET / HTTP/1.1\nHost: a\r\n\r\n"));
}

TEST(Head, a_refusal_is_rfc_9457) {
  const std::string answer = answer_of(Refusal{401, "cannot \"do\" this"});
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 401 "));
  EXPECT_THAT(answer, HasSubstr(R"("detail":"cannot \"do\" this")"));
  EXPECT_THAT(answer_of("secret"), HasSubstr("Cache-Control: no-store\r\n"));
}

}  // namespace
}  // namespace belfry::relay
