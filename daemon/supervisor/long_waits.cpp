#include "daemon/supervisor/long_waits.hpp"

#include <algorithm>

#include "channels/loop.hpp"

namespace belfry::daemon {

namespace {

constexpr Duration first_pause = std::chrono::seconds(10);
constexpr Duration longest_pause = std::chrono::minutes(30);
// A reminder stays one that can be read.
constexpr std::size_t most_named = 6;

}  // namespace

void LongWaits::look(bool somebody_is_waited_for) {
  if (!somebody_is_waited_for) return timer_.cancel();
  if (timer_.armed()) return;
  pause_ = first_pause;
  timer_.arm(loop_.now() + pause_, [this] { remind(); });
}

// The n-th reminder comes 10, 20, 40, 80 … seconds after the wait began.
void LongWaits::remind() {
  const Waits waits = who_(most_named);
  for (const std::string& line : waits.lines) say_(line);
  if (waits.total > waits.lines.size())
    say_("and for " + std::to_string(waits.total - waits.lines.size()) +
         " more (`belfry status` shows them)");
  if (waits.total == 0) return;
  timer_.arm(loop_.now() + pause_, [this] { remind(); });
  pause_ = std::min(pause_ * 2, longest_pause);
}

}  // namespace belfry::daemon
