// The time of day, and who is told when somebody sets it.
//
// The problem: whoever waits for a time of the day waits on a clock that is set: by hand, by NTP, by a leap
// second; and while the machine sleeps it goes on, and the clock of every timer does not. A wait that was
// computed before is then for another time.
//
// The contract: between two calls of the wakeup, the time of day and the loop's clock go at the same pace, so
// that what was computed holds; whoever is woken computes anew.
#pragma once

#include <chrono>
#include <memory>

#include "channels/error.hpp"
#include "channels/loop.hpp"
#include "channels/wakeup.hpp"

namespace belfry::system {

using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

class TimeOfDay {
 public:
  virtual ~TimeOfDay() = default;
  [[nodiscard]] virtual WallTime now() const = 0;
  // Told from now on; it outlives this. The error: why nobody can be.
  virtual Result<void> tell(Wakeup& changed) = 0;
};

// The machine's.
// Owner: the daemon. Lifecycle: the descriptor is made by tell(). Cancellation: the destructor; nobody is
// told afterwards.
class MachineTimeOfDay final : public TimeOfDay {
 public:
  explicit MachineTimeOfDay(Loop& loop);
  ~MachineTimeOfDay() override;
  MachineTimeOfDay(const MachineTimeOfDay&) = delete;
  MachineTimeOfDay& operator=(const MachineTimeOfDay&) = delete;

  [[nodiscard]] WallTime now() const override;
  Result<void> tell(Wakeup& changed) override;

 private:
  struct State;
  Loop& loop_;
  std::shared_ptr<State> state_;
};

// Goes with the loop's clock, and is never set: for who was given no other one.
// Owner: whoever needs it. Lifecycle: as the loop. Cancellation: none.
class SteadyTimeOfDay final : public TimeOfDay {
 public:
  explicit SteadyTimeOfDay(const Loop& loop) : loop_(loop) {}
  [[nodiscard]] WallTime now() const override { return WallTime(loop_.now().time_since_epoch()); }
  Result<void> tell(Wakeup&) override { return {}; }

 private:
  const Loop& loop_;
};

}  // namespace belfry::system
