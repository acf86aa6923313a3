// Says who is waited for and why, when it takes long: after ten seconds, then twice as long after each time.
//
// A stack that does not come up, or does not go down, must not do so in silence: whoever looks at the log
// learns from its last lines what is missing.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "channels/timer_queue.hpp"

namespace belfry {
class Loop;
}

namespace belfry::daemon {

// Those that are waited for: a line for each of the first few, and how many there are in all.
struct Waits {
  std::vector<std::string> lines;
  std::size_t total = 0;
};

// Owner: Daemon.
// Lifecycle: look() after every change; idle, without a timer, while nobody is waited for.
// Cancellation: destruction.
class LongWaits {
 public:
  // `who` names those that are waited for, at most so many of them; `say` prints a line.
  LongWaits(Loop& loop, std::function<Waits(std::size_t)> who, std::function<void(const std::string&)> say)
      : loop_(loop), who_(std::move(who)), say_(std::move(say)), timer_(loop) {}

  // Something has changed: somebody is waited for now, or nobody.
  void look(bool somebody_is_waited_for);

 private:
  void remind();

  Loop& loop_;
  std::function<Waits(std::size_t)> who_;
  std::function<void(const std::string&)> say_;
  Timer timer_;
  Duration pause_{0};  // before the coming reminder
};

}  // namespace belfry::daemon
