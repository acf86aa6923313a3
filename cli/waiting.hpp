// What a command says while it waits, and when it has waited long enough.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/time.hpp"
#include "cli/json.hpp"

namespace belfry::cli {

// When to say that one still waits, and when to stop: 10, 20, 40, 80, … seconds after the beginning, and at
// the timeout. Plain values: whoever waits brings the clock.
class WaitSchedule {
 public:
  explicit WaitSchedule(TimePoint began, std::optional<Duration> timeout = {});

  enum class Due : std::uint8_t { nothing, reminder, end };
  // The moment at which there is something to do.
  [[nodiscard]] TimePoint next() const { return std::min(reminder_, end_); }
  // What is due at `now`. A reminder is due once, however many were missed (a terminal that was stopped).
  [[nodiscard]] Due look(TimePoint now);

 private:
  TimePoint began_, reminder_, end_;
};

// A command that waits for an answer.
struct Waiting {
  WaitSchedule schedule;
  std::function<void()> remind;  // says who is waited for; empty: nothing is said
};

// What a command waits for.
enum class WaitingFor : std::uint8_t { up, down };

// "api (starting 33s): nobody listens on port 18999": of those that keep `names` from what was asked, the
// ones to blame. Going up that is who stands at the end of the chain of waits; going down, who is stopping.
// No names: all services.
[[nodiscard]] std::string describe_wait(const StackStatus& status, const std::vector<std::string>& names,
                                        WaitingFor what);

}  // namespace belfry::cli
