// One HTTP request and one response as plain values: what the router maps one to the other.
//
// Nothing here knows of sockets, so that every answer can be tested as a function call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace belfry::daemon::http {

enum class Method : std::uint8_t { get, head, post, other };

// A parsed request. Its strings keep their capacity from one request of a connection to the next.
struct Request {
  Method method = Method::other;
  std::string method_name;  // as written, for the error that refuses it
  std::string target;       // as written: path and query, still percent-encoded
  std::string host;
  std::string accept;
  std::string accept_encoding;
  std::string authorization;
  std::string origin;         // a browser's word on whose page sends this; empty: no browser, or its own page
  std::string last_event_id;  // where a reader of events wants to go on
  std::string body;
  bool has_host = false;
  bool keep_alive = false;
  bool http_1_0 = false;
  void clear();
};

inline constexpr std::string_view text_plain = "text/plain; charset=utf-8";
inline constexpr std::string_view text_html = "text/html; charset=utf-8";
inline constexpr std::string_view application_json = "application/json";
inline constexpr std::string_view health_json = "application/health+json";
inline constexpr std::string_view problem_json = "application/problem+json";
inline constexpr std::string_view event_stream = "text/event-stream";
inline constexpr std::string_view prometheus_text = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr std::string_view open_metrics_text =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

struct Response {
  int status = 200;
  std::string_view content_type = text_plain;
  std::string body;
  std::string_view allow;             // the Allow header of a 405; empty: none
  std::string_view content_encoding;  // empty: none
  std::string_view vary;              // the headers on which the answer depends; empty: none
  std::string_view policy;            // the Content-Security-Policy of a page for browsers; empty: it is none
  std::string_view challenge;         // the WWW-Authenticate header of a 401; empty: none
  bool close = false;                 // the connection cannot be used after this answer
  bool streamed = false;              // its body comes to be while it is sent, and has no length
  int retry_after = 0;                // seconds; 0: no such header
};

[[nodiscard]] Response text(int status, std::string body);
[[nodiscard]] Response json(int status, std::string body);
// An error as RFC 9457 describes it. `detail` is for a person: "cannot …: …".
[[nodiscard]] Response problem(int status, std::string_view detail);

// 429: there are too many of whatever it is already; it is worth trying again.
[[nodiscard]] Response too_many(std::string_view detail);

[[nodiscard]] std::string_view reason_phrase(int status);

// How the head of a response depends on its request and on the connection.
struct HeadOptions {
  bool keep_alive = true;
  bool http_1_0 = false;
  std::string_view date;  // IMF-fixdate; empty: no Date header
};

// Appends the status line and the headers, with the blank line that ends them.
void append_head(std::string& out, const Response& response, const HeadOptions& options);

}  // namespace belfry::daemon::http
