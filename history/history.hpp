// What is kept of earlier runs: one line for each start and each stop of a stack, with the times of its
// services. This is the format; who writes it, and when, is in daemon/run/history.
//
// A line: "belfry1 CRC kind=… at=… …", and for each service " NAME,waited,took,attempts,result". Times are
// nanoseconds; what may not stand there is written as in a URL. The checksum covers what follows it, so a
// line that was torn or written over is known as such; one of a later version is passed over.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/time/time.hpp"

namespace belfry::daemon {

using WallMoment = std::chrono::sys_time<std::chrono::nanoseconds>;

struct HistoryService {
  std::string name;
  // Start: from when it was wanted to when its edges held; stop: none.
  std::optional<Duration> waited;
  // Start: from then to its bell; stop: from the request to the proof that nothing is left.
  std::optional<Duration> took;
  std::uint32_t attempts = 0;
  std::string result;  // the state that it was in; "killed" when it took that
  friend bool operator==(const HistoryService&, const HistoryService&) = default;
};

struct HistoryEntry {
  enum class Kind : std::uint8_t { start, stop };
  Kind kind = Kind::start;
  WallMoment at{};  // when it began
  Duration took{0};
  bool succeeded = true;              // start: the stack came up; stop: nobody had to be killed
  int exit_code = 0;                  // stop only
  std::string reason;                 // why it stopped, or did not come up
  std::uint64_t services_in_all = 0;  // of a large stack only those that took longest are listed
  std::vector<HistoryService> services;
  friend bool operator==(const HistoryEntry&, const HistoryEntry&) = default;
};

inline constexpr std::size_t most_services_in_history = 1000;

// With its end.
[[nodiscard]] std::string history_line(const HistoryEntry& entry);

struct History {
  std::vector<HistoryEntry> entries;  // oldest first
  std::size_t damaged = 0;            // lines that are not as they were written
  std::size_t unknown = 0;            // lines of another version
};

// Whatever the file holds.
[[nodiscard]] History read_history(std::string_view text);

}  // namespace belfry::daemon
