// What a client of the HTTP server sends: requests in pieces of any size, and what their targets ask for.
#include <algorithm>
#include <cstdlib>

#include "config_targets.hpp"
#include "daemon/http/api/log_query.hpp"
#include "daemon/http/api/router.hpp"
#include "daemon/http/wire/parser.hpp"
#include "daemon/http/wire/request_target.hpp"

namespace belfry::fuzz {
namespace {

using namespace daemon::http;

constexpr ParserLimits small{.head = 512, .body = 256};

// The requests that are understood before the connection is closed: each with method, target and body.
std::string read_all(std::string_view bytes, std::size_t piece) {
  std::string understood;
  RequestParser parser(small);
  std::string pending;
  while (!bytes.empty() || !pending.empty()) {
    const bool is_last = bytes.empty();
    pending += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    std::size_t consumed = 0;
    const ParseState state = parser.feed(pending, consumed);
    if (consumed > pending.size()) std::abort();
    pending.erase(0, consumed);
    if (state == ParseState::refused) {
      const Response refusal = parser.refusal();
      if (refusal.status < 400 || refusal.status > 599 || !refusal.close) std::abort();
      return understood;
    }
    if (state == ParseState::complete) {
      const Request& request = parser.request();
      if (request.target.size() > small.head || request.body.size() > small.body) std::abort();
      understood += request.method_name + " " + request.target + " " + request.host + " " +
                    request.authorization + "\n" + request.body + "\n";
      parser.reset();
      continue;
    }
    // A head and a body that are not complete are never held without a bound.
    if (pending.size() > small.head + small.body + piece) std::abort();
    if (is_last) break;
  }
  return understood;
}

// What is understood can be written, and is understood again.
void read_time(std::string_view bytes) {
  const auto time = parse_rfc3339(bytes);
  if (!time) return;
  std::string again;
  append_rfc3339(again, *time);
  if (!parse_rfc3339(again)) std::abort();
}

}  // namespace

void http_request(std::string_view bytes) {
  // Where packets begin and end decides when bytes are refused, and never what is understood of them.
  if (read_all(bytes, 1) != read_all(bytes, std::max<std::size_t>(bytes.size(), 1))) std::abort();
}

void http_target(std::string_view bytes) {
  read_time(bytes);
  const auto target = split_target(bytes);
  if (!target) return;
  if (!target->path.starts_with('/')) std::abort();
  const Match found = match(target->path);
  if (found.service.contains('\0')) std::abort();
  const WallTime now{std::chrono::seconds(1'764'500'000)};
  const LogQuery query = read_log_query(target->query, now);
  if (!query.mistake.empty() && query.mistake.size() > bytes.size() + 1024) std::abort();
  QueryReader reader(target->query);
  Parameter parameter;
  std::size_t parameters = 0;
  while (reader.next(parameter)) {
    if (++parameters > target->query.size() + 1 || parameter.name.size() > bytes.size()) std::abort();
  }
}

}  // namespace belfry::fuzz
