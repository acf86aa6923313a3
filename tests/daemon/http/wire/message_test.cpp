#include "daemon/http/wire/message.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon::http {
namespace {

std::string head(const Response& response, const HeadOptions& options = {}) {
  std::string out;
  append_head(out, response, options);
  return out;
}

TEST(Message, an_ordinary_answer_keeps_the_connection_and_the_caches_empty) {
  EXPECT_EQ(head(text(200, "ok\n")),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n"
            "Cache-Control: no-store\r\n\r\n");
}

TEST(Message, a_last_answer_says_close) {
  EXPECT_NE(head(text(200, ""), {false, false, {}}).find("\r\nConnection: close\r\n"), std::string::npos);
}

TEST(Message, http_1_0_is_told_that_the_connection_is_kept) {
  EXPECT_NE(head(text(200, ""), {true, true, {}}).find("\r\nConnection: keep-alive\r\n"), std::string::npos);
}

TEST(Message, a_problem_is_rfc_9457) {
  const Response response = problem(404, "cannot find a service named \"x\"");
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
            "\"detail\":\"cannot find a service named \\\"x\\\"\"}\n");
}

}  // namespace
}  // namespace belfry::daemon::http
