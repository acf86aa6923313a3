// Which turns of a loop took too long, and what they were busy with.
//
// One thread does everything, so whoever works for long keeps everybody else waiting: health checks, signals,
// deadlines. The loop times its turns; places that may have much to do name their work with a Work, and of a
// turn that was too long the longest of these is remembered as the culprit. Costs two looks at the clock a
// turn and two for each named piece of work.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "channels/time/time.hpp"

namespace belfry {

// Owner: the loop. Lifecycle: the loop's.
class TurnMeter {
 public:
  static constexpr Duration long_turn = std::chrono::milliseconds(10);

  struct Culprit {
    std::string_view name;  // a literal
    std::uint64_t turns = 0;
    Duration longest{0};
  };

  // How long turns took: how many were within each bound and over the one before it, those over all bounds
  // last.
  static constexpr std::array bounds{Duration(10'000),      Duration(100'000),     Duration(1'000'000),
                                     Duration(5'000'000),   Duration(10'000'000),  Duration(25'000'000),
                                     Duration(100'000'000), Duration(250'000'000), Duration(1'000'000'000)};
  struct Times {
    std::array<std::uint64_t, bounds.size() + 1> turns{};
    Duration sum{0};
  };
  [[nodiscard]] const Times& times() const noexcept { return times_; }

  // Of the turns that took longer than `long_turn`, by culprit, in the order of their first appearance.
  [[nodiscard]] std::span<const Culprit> culprits() const noexcept { return std::span(known_).first(count_); }

  // --- for the loop and for Work
  void begin() noexcept {
    if (begun_ != TimePoint{}) return;  // timers that fire belong to the turn which follows
    begun_ = Clock::now();
    heaviest_ = {};
    weight_ = {};
  }
  TimePoint end() noexcept;  // now
  void worked(std::string_view name, Duration time) noexcept;

 private:
  // Works have names that are in the source, so there are few.
  static constexpr std::size_t most_names = 24;

  void count(Duration took) noexcept;
  void blame(Duration took) noexcept;

  TimePoint begun_{};
  Times times_;
  std::string_view heaviest_;
  Duration weight_{0};
  std::array<Culprit, most_names> known_{};
  std::size_t count_ = 0;
};

// A piece of work that may take long. Owner: a block. Lifecycle: the block's.
class [[nodiscard]] Work {
 public:
  // `name` is a literal: "reaping".
  Work(TurnMeter& meter, std::string_view name) noexcept : meter_(meter), name_(name), begun_(Clock::now()) {}
  ~Work() { meter_.worked(name_, Clock::now() - begun_); }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

 private:
  TurnMeter& meter_;
  std::string_view name_;
  TimePoint begun_;
};

}  // namespace belfry
