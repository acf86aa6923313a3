// What is counted and timed of one service since the daemon started.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>
#include <vector>

namespace belfry::daemon {

// Counters of one service since the daemon started. Times are seconds.
struct ServiceCounters {
  std::uint64_t restarts_on_failure = 0;
  std::uint64_t restarts_on_command = 0;
  std::uint64_t restarts_on_loss = 0;
  std::uint64_t restarts_on_liveness = 0;
  std::uint64_t restarts_on_watchdog = 0;
  // What status shows: the same restarts as the metric's, whatever their reasons. A stop and a later start
  // are none.
  [[nodiscard]] std::uint64_t restarts() const {
    return restarts_on_failure + restarts_on_command + restarts_on_loss + restarts_on_liveness +
           restarts_on_watchdog;
  }
  std::uint64_t log_lines_dropped = 0;
  std::uint64_t notify_refused = 0;
  // Of the runs that have ended.
  std::uint64_t oom_kills = 0;
  double cpu_seconds = 0;
};

// The upper bounds of a histogram's buckets, in seconds, as Prometheus reads them and as numbers.
struct HistogramBounds {
  std::span<const std::string_view> texts;
  std::span<const double> values;
};

// In Prometheus' sense: cumulative counts.
struct HistogramView {
  const HistogramBounds& bounds;
  std::span<const std::uint32_t> buckets;
  std::uint32_t count;
  double sum;
};

// How long something took: `Bounds` says into which buckets it is sorted.
template <class Bounds>
class DurationHistogram {
 public:
  void observe(double seconds) {
    const auto at = std::ranges::lower_bound(Bounds::values, seconds) - std::begin(Bounds::values);
    for (auto i = static_cast<std::size_t>(at); i < std::size(buckets_); ++i) ++buckets_[i];
    sum_ += seconds;
    ++count_;
  }
  [[nodiscard]] HistogramView view() const { return {bounds, buckets_, count_, sum_}; }

 private:
  static constexpr HistogramBounds bounds{Bounds::texts, Bounds::values};
  std::uint32_t buckets_[std::size(Bounds::values)] = {};
  std::uint32_t count_ = 0;
  double sum_ = 0;
};

// Starts and stops: from what a shell script takes to what a database takes that recovers.
struct PhaseBounds {
  static constexpr double values[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
  static constexpr std::string_view texts[] = {"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5",
                                               "1",     "2.5",  "5",     "10",   "30",  "60",   "300"};
};

// A probe is tried ten times a second, or takes until its timeout.
struct AttemptBounds {
  static constexpr double values[] = {0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30};
  static constexpr std::string_view texts[] = {"0.0001", "0.0005", "0.001", "0.005", "0.01", "0.05",
                                               "0.1",    "0.5",    "1",     "5",     "10",   "30"};
};

// What became of the attempts of a service's probes of one kind, of `ready`, `live` and own bells together.
struct ProbeAttempts {
  std::string_view kind;  // a literal
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  DurationHistogram<AttemptBounds> took{};
};

struct ServiceTimes {
  DurationHistogram<PhaseBounds> ready;  // start to bell
  DurationHistogram<PhaseBounds> stop;   // asked to stopped
  std::vector<ProbeAttempts> probes;     // of the kinds that have been tried

  void probe_tried(std::string_view kind, bool success, double seconds);
};

}  // namespace belfry::daemon
