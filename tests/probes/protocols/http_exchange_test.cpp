// A request and its answer, without a server: whole, in single bytes, and wrong.
#include "probes/protocols/http_exchange.hpp"

#include <gtest/gtest.h>

namespace belfry::probes {
namespace {

using Step = Dialogue::Step;

HttpExpected with_body(const char* pattern) {
  HttpExpected expected;
  expected.body = std::move(*config::Pattern::compile(pattern));
  return expected;
}

// "done", "more" (nothing is decided yet), or what is wrong.
std::string said_of(const Result<Step>& step) {
  if (!step) return step.error().text();
  return *step == Step::done ? "done" : "more";
}

// What is made of `answer` that comes in pieces of `size` bytes.
std::string outcome(HttpExchange& exchange, std::string_view answer, std::size_t size, bool ends = false) {
  std::string say;
  Result<Step> step = exchange.begin(say);
  for (; step && *step == Step::listen && !answer.empty();
       answer.remove_prefix(std::min(size, answer.size())))
    step = exchange.hear(answer.substr(0, size), say);
  if (step && *step == Step::listen && ends) step = exchange.ended();
  return said_of(step);
}

// However it is cut.
void expect(
    std::string_view answer, const std::string& said,
    HttpExpected (*expected)() = [] { return HttpExpected(); },
    const HttpRequest& request = {.host = "db", .path = "/"}, bool ends = false) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{7}, answer.size()}) {
    HttpExchange exchange(request, expected());
    EXPECT_EQ(outcome(exchange, answer, std::max<std::size_t>(size, 1), ends), said)
        << answer << " by " << size;
  }
}

std::string request_of(const HttpRequest& request) {
  std::string say;
  (void)HttpExchange(request, {}).begin(say);
  return say;
}

TEST(HttpRequest, says_what_servers_need_and_no_more) {
  EXPECT_EQ(
      request_of({.host = "db:8080", .path = "/a"}),
      "GET /a HTTP/1.1\r\nHost: db:8080\r\nUser-Agent: belfry\r\nAccept: */*\r\nConnection: close\r\n\r\n");
  EXPECT_FALSE(request_of({.host = "db", .path = "/", .keep = true}).contains("Connection"));
  EXPECT_TRUE(request_of({.host = "db", .path = "/", .method = "POST"}).contains("Content-Length: 0\r\n"));
}

TEST(HttpRequest, a_header_of_the_file_takes_the_place_of_belfrys) {
  const std::string text =
      request_of({.host = "db", .path = "/", .headers = {{"hOST", "x"}, {"accept", "y"}}});
  EXPECT_FALSE(text.contains("Host: db"));
  EXPECT_FALSE(text.contains("*/*"));
  EXPECT_TRUE(text.contains("hOST: x\r\n"));
}

TEST(HttpAnswer, a_status_is_enough_where_nothing_else_is_asked) {
  expect("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "done");
  expect("HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", "done");
  expect("HTTP/1.0 204\r\n\r\n", "done");
  expect("HTTP/1.1 404 Not Found\r\n\r\n", "the answer was 404");
  expect("HTTP/1.1 503\n\n", "the answer was 503");  // line ends without CR (RFC 9112, 2.2)
}

TEST(HttpAnswer, interim_answers_are_passed_over) {
  expect("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
         "done");
  expect("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 No\r\n\r\n", "the answer was 500");
  expect("HTTP/1.1 100 Continue\r\n\r\n", "more");
}

TEST(HttpAnswer, a_body_comes_by_length_in_chunks_or_until_the_end) {
  const auto up = [] { return with_body("^is up$"); };
  expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nis up", "done", up);
  expect(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=\"y\"\r\nis\r\n3\r\n up\r\n0\r\nA: b\r\n\r\n",
      "done", up);
  expect("HTTP/1.1 200 OK\r\n\r\nis up", "done", up, {.host = "db", .path = "/"}, true);
  expect("HTTP/1.0 200 OK\r\n\r\nis up", "more", up);
  expect("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndown", "the body does not match", up);
  expect("HTTP/1.1 204 No\r\n\r\n", "the body does not match", up);
}

TEST(HttpAnswer, a_body_that_breaks_off_is_none) {
  const auto any = [] { return with_body("x"); };
  const HttpRequest request{.host = "db", .path = "/"};
  const char* const said = "it closed the connection in the middle of its answer";
  expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nxx", said, any, request, true);
  expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n", said, any, request, true);
  expect("HTTP/1.1 200", said, any, request, true);
}

TEST(HttpAnswer, no_body_follows_head) {
  const HttpRequest head{.host = "db", .path = "/", .method = "HEAD"};
  expect(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "the body does not match",
      [] { return with_body("x"); }, head);
}

TEST(HttpAnswer, what_cannot_be_understood_is_said) {
  const auto any = [] { return with_body("x"); };
  expect("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
         "it has two different Content-Lengths");
  expect("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "its Content-Length is no number: \"-1\"");
  expect("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
         "its Content-Length is no number: \"99999999999999999999\"");
  expect("HTTP/1.1 2x0 OK\r\n\r\n", "it has no status: \"HTTP/1.1 2x0 OK\"");
  expect("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "a line of its head is no field: \"nonsense\"");
  expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
         "the size of a chunk is no number: \"zz\"", any);
  expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
         "a chunk of its body is longer than it says", any);
}

TEST(HttpAnswer, another_protocol_is_named) {
  expect(std::string_view("\x15\x03\x01\x00\x02\x02\x0a", 7), "it speaks TLS: write https:// in the URL");
  expect(std::string_view("\x00\x00\x12\x04\x00\x00\x00\x00\x00", 9),
         "it speaks HTTP/2 only, and is asked by HTTP/1.1");
  HttpExchange ssh({.host = "db", .path = "/"}, {});
  EXPECT_EQ(outcome(ssh, "SSH-2.0-OpenSSH_9.2\r\n", 100),
            "the answer is not HTTP/1: it begins with \"SSH-2.0-OpenSSH_9.2\"");
  HttpExchange nginx({.host = "db", .path = "/"}, {});
  EXPECT_EQ(
      outcome(nginx, "HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port", 1000),
      "the answer was 400: it speaks TLS, write https:// in the URL");
  expect(
      "", "it closed the connection without an answer (if it speaks TLS: https://)",
      [] { return HttpExpected(); }, {.host = "db", .path = "/"}, true);
}

TEST(HttpAnswer, what_does_not_end_is_cut_off) {
  HttpExchange long_head({.host = "db", .path = "/"}, {});
  EXPECT_EQ(outcome(long_head, "HTTP/1.1 200 OK\r\nA: " + std::string(1 << 20, 'a'), 4096),
            "the head of its answer is longer than 16 KiB");
  const std::string megabytes(2 << 20, 'a');
  for (const std::string begin :
       {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n"}) {
    HttpExchange endless({.host = "db", .path = "/"}, with_body("x"));
    EXPECT_EQ(outcome(endless, begin + megabytes, 4096), "its body is larger than 1 MiB") << begin;
  }
  HttpExchange trailer({.host = "db", .path = "/"}, with_body("x"));
  std::string fields;
  while (fields.size() < 100'000) fields += "A: b\r\n";
  EXPECT_EQ(outcome(trailer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + fields, 4096),
            "what follows its body is longer than 16 KiB");
}

TEST(HttpAnswer, a_connection_goes_on_only_after_a_whole_answer_of_a_server_that_keeps_it) {
  const auto goes_on = [](std::string_view answer, const char* method = "GET") {
    HttpExchange exchange({.host = "db", .path = "/", .method = method}, {});
    EXPECT_EQ(outcome(exchange, answer, answer.size()), "done") << answer;
    return exchange.may_go_on();
  };
  EXPECT_TRUE(goes_on("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_TRUE(goes_on("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_TRUE(goes_on("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"));
  EXPECT_TRUE(goes_on("HTTP/1.1 204 No\r\n\r\n", "HEAD"));
  EXPECT_FALSE(goes_on("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"));  // not whole
  EXPECT_FALSE(goes_on("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nok"));  // something behind it
  EXPECT_FALSE(goes_on("HTTP/1.1 200 OK\r\n\r\nok"));                       // ends with the connection
  EXPECT_FALSE(goes_on("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(goes_on("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(goes_on("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "POST"));  // must not be sent twice
}

}  // namespace
}  // namespace belfry::probes
