// A time zone of the machine's tzdata: from moments to what clocks on the wall show there, and back.
//
// The problem: localtime(3) knows one zone a process, by a variable that nobody may change while others read
// it. So zones are read by Abseil (CCTZ), from /usr/share/zoneinfo or $TZDIR; "UTC" needs no file. A zone is
// read once and kept for the life of the process. A value; copies share what was read.
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::calendar {

using Instant = std::chrono::sys_seconds;
// What a clock on the wall shows, without a zone.
using LocalTime = std::chrono::local_seconds;

// Clocks are set at `at`: from showing `from` to showing `to`.
struct ClockChange {
  Instant at;
  LocalTime from, to;
};

class Zone {
 public:
  static Zone utc();
  // Why there is none of this name. "local" is what $TZ or /etc/localtime say, and UTC where they say
  // nothing.
  static std::expected<Zone, std::string> named(std::string_view name);

  [[nodiscard]] LocalTime local(Instant at) const;
  // When clocks first show `time`; where they never do, because they are set forward over it: when they are.
  [[nodiscard]] Instant first(LocalTime time) const;
  // Nothing: clocks are never set again.
  [[nodiscard]] std::optional<ClockChange> next_change(Instant after) const;
  // "2026-12-02 03:00 +0100"
  [[nodiscard]] std::string text(Instant at) const;

 private:
  struct Data;
  explicit Zone(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
  std::shared_ptr<const Data> data_;
};

// Of all zones of the machine, for who has misspelt one. Empty: it has no tzdata.
[[nodiscard]] std::vector<std::string> zone_names();

}  // namespace belfry::calendar
