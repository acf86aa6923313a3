#include "probes/protocols/http_exchange.hpp"

#include <algorithm>

#include "config/model/http_field.hpp"
#include "probes/protocols/json_answer.hpp"

namespace belfry::probes {

namespace {

bool is_given(const HttpRequest& request, std::string_view name) {
  return std::ranges::any_of(
      request.headers, [name](const auto& header) { return config::is_same_http_word(header.first, name); });
}

bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

// As nginx, Apache and Go tell those who speak plainly to a port for TLS.
bool says_tls(std::string_view answer) {
  return answer.contains("HTTPS port") || answer.contains("HTTPS server") || answer.contains("SSL-enabled");
}

std::string text_of(const HttpRequest& request) {
  std::string text = request.method + " " + request.path + " HTTP/1.1\r\n";
  if (!is_given(request, "host")) text += "Host: " + request.host + "\r\n";
  if (!is_given(request, "user-agent")) text += "User-Agent: belfry\r\n";
  if (!is_given(request, "accept")) text += "Accept: */*\r\n";
  if (!request.keep && !is_given(request, "connection")) text += "Connection: close\r\n";
  // Without it, servers may wait for a body or refuse (RFC 9110, 8.6).
  if (!is_safe(request.method) && !is_given(request, "content-length")) text += "Content-Length: 0\r\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

}  // namespace

HttpExchange::HttpExchange(const HttpRequest& request, HttpExpected expected)
    : request_(text_of(request)),
      expected_(std::move(expected)),
      is_head_(request.method == "HEAD"),
      is_plain_(request.plain),
      may_be_repeated_(is_safe(request.method)) {}

Result<Dialogue::Step> HttpExchange::begin(std::string& say) {
  say += request_;
  answer_.begin(is_head_, expected_.needs_body());
  return Step::listen;
}

Result<Dialogue::Step> HttpExchange::hear(std::string_view bytes, std::string&) {
  if (auto heard = answer_.hear(bytes); !heard) return std::unexpected(heard.error());
  const bool enough = expected_.needs_body() ? answer_.is_whole() : answer_.has_head();
  return enough ? judge(bytes) : Step::listen;
}

Result<Dialogue::Step> HttpExchange::ended() {
  auto whole = answer_.ended();
  if (whole) return judge({});
  if (!is_plain_ || answer_.has_begun()) return std::unexpected(whole.error());
  return std::unexpected(
      Error::failed("it closed the connection without an answer (if it speaks TLS: https://)"));
}

Result<Dialogue::Step> HttpExchange::judge(std::string_view last) const {
  const unsigned status = answer_.status();
  const auto within = [status](const auto& range) { return status >= range.first && status <= range.second; };
  const bool good = expected_.statuses.empty() ? status >= 200 && status < 400
                                               : std::ranges::any_of(expected_.statuses, within);
  if (!good) {
    const bool wants_tls = is_plain_ && status == 400 && says_tls(last);
    return std::unexpected(Error::failed("the answer was " + std::to_string(status) +
                                         (wants_tls ? ": it speaks TLS, write https:// in the URL" : "")));
  }
  if (expected_.body && !expected_.body->occurs_in(answer_.body()))
    return std::unexpected(Error::failed("the body does not match"));
  if (expected_.json) {
    if (auto why = judge_json(answer_.body(), *expected_.json); !why.empty())
      return std::unexpected(Error::failed(why));
  }
  return Step::done;
}

}  // namespace belfry::probes
