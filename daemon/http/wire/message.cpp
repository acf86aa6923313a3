#include "daemon/http/wire/message.hpp"

#include <charconv>
#include <utility>

#include "daemon/http/wire/json_writer.hpp"

namespace belfry::daemon::http {
namespace {

void append_number(std::string& out, std::size_t value) {
  char digits[24];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value);
  out.append(digits, end.ptr);
}

// What a browser must know of a page before it shows it: what may run in it, and that nobody else is told of
// it.
void append_page_rules(std::string& out, std::string_view policy) {
  ((out += "Content-Security-Policy: ") += policy) += "\r\n";
  out +=
      "X-Content-Type-Options: nosniff\r\n"
      "Referrer-Policy: no-referrer\r\n"
      "Cross-Origin-Opener-Policy: same-origin\r\n"
      "Cross-Origin-Resource-Policy: same-origin\r\n";
}

}  // namespace

void Request::clear() {
  method = Method::other;
  constexpr std::size_t worth_keeping = 512;  // what a usual request needs
  for (std::string* text : {&method_name, &target, &host, &accept, &accept_encoding, &authorization, &origin,
                            &last_event_id, &body}) {
    if (text->capacity() > worth_keeping) std::string().swap(*text);
    text->clear();
  }
  has_host = keep_alive = http_1_0 = false;
}

Response text(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

Response json(int status, std::string body) {
  Response response;
  response.status = status;
  response.content_type = application_json;
  response.body = std::move(body);
  return response;
}

Response problem(int status, std::string_view detail) {
  Response response;
  response.status = status;
  response.content_type = problem_json;
  JsonWriter writer(response.body);
  writer.begin_object();
  writer.key("type").string("about:blank");
  writer.key("title").string(reason_phrase(status));
  writer.key("status").number(status);
  writer.key("detail").string(detail);
  writer.end_object();
  response.body += '\n';
  return response;
}

Response too_many(std::string_view detail) {
  Response response = problem(429, detail);
  response.retry_after = 1;
  return response;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 424: return "Failed Dependency";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

void append_head(std::string& out, const Response& response, const HeadOptions& options) {
  if (response.status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
  } else {
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::size_t>(response.status));
    out += ' ';
    out += reason_phrase(response.status);
    out += "\r\n";
  }
  if (!options.date.empty()) ((out += "Date: ") += options.date) += "\r\n";
  ((out += "Content-Type: ") += response.content_type) += "\r\n";
  // To HTTP/1.0 a body without a length ends with its connection.
  if (!response.streamed) {
    out += "Content-Length: ";
    append_number(out, response.body.size());
    out += "\r\n";
  } else if (!options.http_1_0) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  // Every answer is a state of this moment: no cache may keep one.
  out += "Cache-Control: no-store\r\n";
  if (!response.content_encoding.empty())
    ((out += "Content-Encoding: ") += response.content_encoding) += "\r\n";
  if (!response.vary.empty()) ((out += "Vary: ") += response.vary) += "\r\n";
  if (!response.policy.empty()) append_page_rules(out, response.policy);
  if (!response.allow.empty()) ((out += "Allow: ") += response.allow) += "\r\n";
  if (!response.challenge.empty()) ((out += "WWW-Authenticate: ") += response.challenge) += "\r\n";
  if (response.retry_after > 0) {
    out += "Retry-After: ";
    append_number(out, static_cast<std::size_t>(response.retry_after));
    out += "\r\n";
  }
  if (!options.keep_alive) {
    out += "Connection: close\r\n";
  } else if (options.http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

}  // namespace belfry::daemon::http
