// Something that comes again and again, at fixed distances.
//
// The problem: a loop that sleeps for its period after each piece of work drifts by the time that the work
// takes; and one that is late (a pause of the whole process, a slow round) must not make up for what it
// missed by a burst.
//
// Ticks are at multiples of the period from the beginning. Who is late gets one tick, and how many it missed;
// the one after it is on time again. While nobody waits there is no timer at all.
//
//   Ticker recheck(loop, 10s, "recheck");
//   while (Result<Tick> tick = co_await recheck.next(ctx)) look();
#pragma once

#include <cstdint>
#include <string>

#include "channels/detail/wait.hpp"
#include "channels/error.hpp"
#include "channels/place_case.hpp"
#include "channels/timer_queue.hpp"

namespace belfry {

struct Tick {
  TimePoint at;              // when it was due
  std::uint64_t missed = 0;  // how many were due before it, and are not made up for
};

// Owner: the one task that waits for it. Lifecycle: ticks from construction, one period later for the first
// time; stop() is for good. At most one waiter. Cancellation: of a next(); the tick is then still to come.
class Ticker final : detail::TimerNode {
 public:
  // A period that is not positive ends the process with the name.
  Ticker(Loop& loop, Duration period, const char* name = "ticker") noexcept;
  ~Ticker();

  // No more ticks: who waits gets an error of kind closed, and so does everybody later.
  void stop() noexcept;
  // Another period, counted from now.
  void reset(Duration period) noexcept;
  Duration period() const noexcept { return period_; }

  class Next;
  // Result<Tick>: the tick; kind closed when it was stopped; or the cause of ctx.
  Next next(Context& ctx) noexcept;

 private:
  friend class TickerCase;
  static void due(TimerNode& node) noexcept;
  bool is_there() const noexcept { return stopped_ || due_ <= place_.loop->now(); }
  Result<Tick> take();
  void wait_for_it();
  void wait_no_more() noexcept;

  detail::WaitingPlace place_;
  Duration period_;
  TimePoint due_;
  bool stopped_ = false;
};

class Ticker::Next final : public detail::Wait<Next> {
 public:
  Next(Ticker& ticker, Context& ctx) noexcept : Wait(ticker.place_, ctx), ticker_(ticker) {}
  bool await_ready() const noexcept { return is_cancelled() || granted(); }
  void await_suspend(std::coroutine_handle<> awaiting) {
    ticker_.wait_for_it();
    waited_ = true;
    suspend(awaiting);
  }
  Result<Tick> await_resume() {
    resumed();
    ticker_.wait_no_more();
    if (granted() && (waited_ || !is_cancelled())) return ticker_.take();
    return std::unexpected(cancel_cause());
  }
  bool granted() const noexcept { return ticker_.is_there(); }
  std::string describe() const { return detail::named("ticker", place_->name); }

 private:
  Ticker& ticker_;
  bool waited_ = false;
};

inline Ticker::Next Ticker::next(Context& ctx) noexcept { return {*this, ctx}; }

// A tick as a case of a select.
class TickerCase final : public detail::PlaceCase {
 public:
  explicit TickerCase(Ticker& ticker) noexcept : PlaceCase(ticker.place_), ticker_(ticker) {}
  // After this case won: the tick, or kind closed.
  Result<Tick> take() { return ticker_.take(); }

 private:
  bool try_take() override { return ticker_.is_there(); }
  std::string describe() const override { return detail::named("ticker", place_->name); }
  void enter() override {
    ticker_.wait_for_it();
    PlaceCase::enter();
  }
  void leave() noexcept override {
    PlaceCase::leave();
    if (!detail::abandoning) ticker_.wait_no_more();
  }

  Ticker& ticker_;
};

inline TickerCase on(Ticker& ticker) noexcept { return TickerCase(ticker); }

}  // namespace belfry
