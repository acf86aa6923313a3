#include "daemon/http/wire/parser.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <optional>

namespace belfry::daemon::http {
namespace {

namespace beast = boost::beast::http;
using beast_view = boost::beast::string_view;
using beast_error = boost::beast::error_code;

void assign(std::string& to, beast_view from) { to.assign(from.data(), from.size()); }

Method method_of(beast::verb verb) {
  switch (verb) {
    case beast::verb::get: return Method::get;
    case beast::verb::head: return Method::head;
    case beast::verb::post: return Method::post;
    default: return Method::other;
  }
}

// Keeps the few fields that matter, so that a request costs no allocation per header.
class RequestReader final : public beast::basic_parser<true> {
 public:
  RequestReader(Request& into, ParserLimits limits) : into_(into) {
    header_limit(static_cast<std::uint32_t>(limits.head));
    body_limit(limits.body);
    eager(true);
  }
  [[nodiscard]] bool wants_continue() const { return expects_continue_ && is_header_done() && !is_done(); }
  [[nodiscard]] bool duplicate_host() const { return duplicate_host_; }
  [[nodiscard]] bool unknown_coding() const { return unknown_coding_; }

 private:
  void on_request_impl(beast::verb verb, beast_view name, beast_view target, int version,
                       beast_error&) override {
    into_.method = method_of(verb);
    assign(into_.method_name, name);
    assign(into_.target, target);
    into_.http_1_0 = version == 10;
  }
  void on_response_impl(int, beast_view, int, beast_error&) override {}
  void on_field_impl(beast::field field, beast_view name, beast_view value, beast_error&) override {
    switch (field) {
      case beast::field::host:
        duplicate_host_ = into_.has_host;
        into_.has_host = true;
        assign(into_.host, value);
        break;
      case beast::field::accept:
        if (!into_.accept.empty()) into_.accept += ',';
        into_.accept.append(value.data(), value.size());
        break;
      case beast::field::accept_encoding:
        if (!into_.accept_encoding.empty()) into_.accept_encoding += ',';
        into_.accept_encoding.append(value.data(), value.size());
        break;
      case beast::field::authorization: assign(into_.authorization, value); break;
      case beast::field::origin: assign(into_.origin, value); break;
      case beast::field::expect: expects_continue_ = boost::beast::iequals(value, "100-continue"); break;
      // A coding that is not known hides where the body ends.
      case beast::field::transfer_encoding:
        unknown_coding_ = unknown_coding_ || !boost::beast::iequals(value, "chunked");
        break;
      case beast::field::unknown:
        if (boost::beast::iequals(name, "last-event-id")) assign(into_.last_event_id, value);
        break;
      default: break;
    }
  }
  void on_header_impl(beast_error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast_error&) override {}
  std::size_t on_body_impl(beast_view body, beast_error&) override {
    into_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast_view, beast_error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast_view body, beast_error&) override {
    into_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(beast_error&) override { into_.keep_alive = keep_alive(); }

  Request& into_;
  bool expects_continue_ = false;
  bool duplicate_host_ = false;
  bool unknown_coding_ = false;
};

struct Refusal {
  int status = 400;
  std::string detail;
};

Refusal refusal_of(const beast_error& error, ParserLimits limits) {
  if (error == beast::error::header_limit || error == beast::error::buffer_overflow) {
    return {431, "cannot read this request: its head is over " + std::to_string(limits.head) + " bytes"};
  }
  if (error == beast::error::body_limit) {
    return {413, "cannot read this request: its body is over " + std::to_string(limits.body) + " bytes"};
  }
  if (error == beast::error::bad_version) {
    return {505, "cannot read this request: the protocol is HTTP/1.1 or HTTP/1.0, without TLS"};
  }
  return {400, "cannot read this request: " + error.message()};
}

}  // namespace

struct RequestParser::State {
  explicit State(ParserLimits given) : limits(given) {}

  ParseState refuse(Refusal why) {
    refusal = std::move(why);
    return ParseState::refused;
  }

  // What the grammar allows and a server still has to refuse (RFC 9112 §3.2, §6.1).
  ParseState check_head() {
    if (reader->unknown_coding()) {
      return refuse({501, "cannot read this request: the only Transfer-Encoding here is chunked"});
    }
    if (reader->duplicate_host() || (!request.http_1_0 && !request.has_host)) {
      return refuse({400, "cannot read this request: HTTP/1.1 needs exactly one Host header"});
    }
    return ParseState::complete;
  }

  ParserLimits limits;
  Request request;
  std::optional<RequestReader> reader;
  std::size_t head_bytes = 0;  // of the current request, as far as they were consumed
  Refusal refusal;
};

RequestParser::RequestParser(ParserLimits limits) : state_(std::make_unique<State>(limits)) { reset(); }
RequestParser::~RequestParser() = default;

void RequestParser::reset() {
  state_->request.clear();
  state_->head_bytes = 0;
  state_->reader.emplace(state_->request, state_->limits);
}

ParseState RequestParser::feed(std::string_view bytes, std::size_t& consumed) {
  State& state = *state_;
  consumed = 0;
  // RFC 9112 §2.2: an empty line before the request line is ignored.
  while (!state.reader->got_some() && bytes.substr(consumed).starts_with("\r\n")) consumed += 2;
  const std::string_view rest = bytes.substr(consumed);
  if (rest.empty() || rest == "\r") return ParseState::need_more;

  beast_error error;
  const bool head_was_read = state.reader->is_header_done();
  const std::size_t used = state.reader->put(boost::asio::const_buffer(rest.data(), rest.size()), error);
  consumed += used;
  if (!head_was_read && state.reader->is_header_done()) {
    if (state.check_head() == ParseState::refused) return ParseState::refused;
  }
  if (!state.reader->is_header_done()) state.head_bytes += used;
  if (state.reader->is_done() && !error) return ParseState::complete;
  if (error && error != beast::error::need_more) return state.refuse(refusal_of(error, state.limits));
  if (!state.reader->is_header_done() && state.head_bytes + rest.size() - used >= state.limits.head) {
    return state.refuse(refusal_of(beast::error::header_limit, state.limits));
  }
  return ParseState::need_more;
}

const Request& RequestParser::request() const { return state_->request; }

Response RequestParser::refusal() const {
  Response response = problem(state_->refusal.status, state_->refusal.detail);
  response.close = true;
  return response;
}

bool RequestParser::wants_continue() const { return state_->reader->wants_continue(); }
bool RequestParser::begun() const { return state_->reader->got_some() && !state_->reader->is_done(); }

}  // namespace belfry::daemon::http
