// When a oneshot is run by itself, as plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace belfry::config {

// What becomes of a run that is due while the one before it has not ended.
enum class Overlap : std::uint8_t { skip, queue, kill };

// Either `every` or `cron`.
struct Schedule {
  std::chrono::nanoseconds every{0};   // between the starts of two runs; 0: `cron` says when
  std::string cron;                    // as written
  std::string time_zone = "local";     // of `cron`: "Europe/Zurich", "UTC", "local"
  std::chrono::nanoseconds jitter{0};  // each run is so much later at most, drawn for it
  Overlap overlap = Overlap::skip;
  bool at_start = false;  // also once when the stack starts
  friend bool operator==(const Schedule&, const Schedule&) = default;
};

}  // namespace belfry::config
