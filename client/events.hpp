// Events of the daemon as the command line reads them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::client {

struct EventRecord {
  std::string json;  // as it was written, on one line
  std::int64_t sequence = 0;
  std::int64_t monotonic_ns = 0;
  std::int64_t incarnation = 0;  // 0: it is about none
  std::string time, kind, service, from, state, bell, event, cause;
  bool has_evidence = false;
  std::string probe, words;  // of the evidence
  std::int64_t port = 0, pid = 0;
};

// One event; nothing when it is none.
[[nodiscard]] std::optional<EventRecord> read_event(std::string_view json);

// The body of /v1/events as one answer.
struct EventPage {
  std::vector<EventRecord> events;
  std::string run;
  std::int64_t missed = 0;
  std::int64_t since = 0;  // where the next page begins
  bool more = false;
};
[[nodiscard]] std::optional<EventPage> read_event_page(std::string_view body);

}  // namespace belfry::client
