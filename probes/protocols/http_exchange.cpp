#include "probes/protocols/http_exchange.hpp"

#include <algorithm>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "probes/protocols/json_answer.hpp"

namespace belfry::probes {

namespace http = boost::beast::http;

struct HttpExchange::Parser {
  http::response_parser<http::string_body> parser;
  std::string unread;  // the beginning of what has not come whole
};

HttpExchange::HttpExchange(const HttpRequest& request, HttpAnswer expected)
    : expected_(std::move(expected)), answer_has_no_body_(request.method == "HEAD") {
  const auto is_given = [&](std::string_view name) {
    return std::ranges::any_of(request.headers,
                               [&](const auto& header) { return boost::beast::iequals(header.first, name); });
  };
  request_ = request.method + " " + request.path + " HTTP/1.1\r\n";
  if (!is_given("Host")) request_ += "Host: " + request.host + "\r\n";
  if (!is_given("User-Agent")) request_ += "User-Agent: belfry\r\n";
  if (!is_given("Connection")) request_ += "Connection: close\r\n";
  for (const auto& [name, value] : request.headers) request_ += name + ": " + value + "\r\n";
  request_ += "\r\n";
}

HttpExchange::~HttpExchange() = default;

Result<Dialogue::Step> HttpExchange::begin(std::string& say) {
  say += request_;
  parser_ = std::make_unique<Parser>();
  parser_->parser.body_limit(largest_body);
  parser_->parser.skip(answer_has_no_body_);
  parser_->parser.eager(expected_.needs_body());
  return Step::listen;
}

Result<Dialogue::Step> HttpExchange::hear(std::string_view bytes, std::string&) {
  std::string& unread = parser_->unread;
  unread += bytes;
  auto& parser = parser_->parser;
  boost::system::error_code failed;
  const std::size_t read = parser.put(boost::asio::buffer(unread), failed);
  unread.erase(0, read);
  if (failed && failed != http::error::need_more) return std::unexpected(Error::failed(failed.message()));
  if (expected_.needs_body() ? parser.is_done() : parser.is_header_done()) return judge();
  return Step::listen;
}

// Where neither a length nor chunks are given, the end of the connection is the end of the body (RFC
// 9112, 6.3).
Result<Dialogue::Step> HttpExchange::ended() {
  boost::system::error_code failed;
  if (parser_->parser.got_some()) parser_->parser.put_eof(failed);
  if (failed || !parser_->parser.is_done())
    return std::unexpected(Error::failed("it closed the connection without a whole answer"));
  return judge();
}

bool HttpExchange::may_go_on() const { return false; }

Result<Dialogue::Step> HttpExchange::judge() const {
  const auto& response = parser_->parser.get();
  const unsigned status = response.result_int();
  const auto within = [status](const auto& range) { return status >= range.first && status <= range.second; };
  const bool good = expected_.statuses.empty() ? status >= 200 && status < 400
                                               : std::ranges::any_of(expected_.statuses, within);
  if (!good) return std::unexpected(Error::failed("the answer was " + std::to_string(status)));
  if (expected_.body && !expected_.body->occurs_in(response.body()))
    return std::unexpected(Error::failed("the body does not match"));
  if (expected_.json) {
    if (auto why = judge_json(response.body(), *expected_.json); !why.empty())
      return std::unexpected(Error::failed(why));
  }
  return Step::done;
}

}  // namespace belfry::probes
