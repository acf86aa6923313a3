#include "client/response_reader.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <utility>

namespace belfry::client {

namespace http = boost::beast::http;

namespace {

constexpr std::size_t largest_head = std::size_t{8} * 1024;
constexpr std::uint64_t largest_body = std::uint64_t{1} << 30U;

}  // namespace

struct ResponseReader::State {
  http::response_parser<http::string_body> parser;
  std::string pending;  // received, and not taken by the parser yet
};

ResponseReader::ResponseReader() : state_(std::make_unique<State>()) {
  state_->parser.header_limit(largest_head);
  state_->parser.body_limit(largest_body);
  state_->parser.eager(true);
}
ResponseReader::~ResponseReader() = default;

bool ResponseReader::done() const { return state_->parser.is_done(); }

std::string ResponseReader::take(std::string_view bytes) {
  state_->pending += bytes;
  boost::beast::error_code error;
  state_->pending.erase(0, state_->parser.put(boost::asio::buffer(state_->pending), error));
  return error && error != http::error::need_more ? error.message() : std::string();
}

std::string ResponseReader::take_end() {
  if (!state_->parser.got_some()) return "the connection was closed without an answer";
  boost::beast::error_code error;
  state_->parser.put_eof(error);
  return error ? error.message() : std::string();
}

Reply ResponseReader::reply() {
  auto& response = state_->parser.get();
  return {static_cast<int>(response.result_int()), std::move(response.body())};
}

}  // namespace belfry::client
