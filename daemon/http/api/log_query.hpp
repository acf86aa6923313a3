// Which lines of logs somebody asks for: the query of /v1/logs and /v1/services/{name}/logs as values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/pattern.hpp"
#include "daemon/http/wire/wall_clock.hpp"
#include "daemon/logs/ring.hpp"

namespace belfry::daemon::http {

// Looking at a line costs what `cost` says, so that whoever looks at many can stop in time.
struct LogFilter {
  std::uint8_t streams = 0xFF;             // bit n: LogStream n
  std::optional<WallTime> since;           // by when belfry has read it
  std::optional<config::Pattern> pattern;  // held against the beginning of a line, as far as it may look

  [[nodiscard]] bool shows(const RingLine& line) const;
  [[nodiscard]] bool shows_all() const { return streams == 0xFF && !since && !pattern; }
  [[nodiscard]] std::size_t cost(const RingLine& line) const;
  // What may be looked at before it is everybody else's turn: some 100 µs, 2 ms for the worst expression.
  [[nodiscard]] std::size_t most_cost() const;
};

struct LogQuery {
  std::vector<std::string> services;  // empty: all, and belfry
  LogFilter filter;
  std::optional<std::size_t> last;  // so many of each service at most, the newest
  bool follow = false;
  std::string mistake;  // empty: none
};

// `n=100&since=10m&grep=…&stream=stderr&follow=1&service=…`.
[[nodiscard]] LogQuery read_log_query(std::string_view query, WallTime now);

// "2026-11-30T09:20:01.5Z", "2026-11-30T10:20:01+01:00" (RFC 3339).
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace belfry::daemon::http
