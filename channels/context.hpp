// Cancellation that is passed down: every wait takes a Context& and ends when it is cancelled.
//
// The problem: a wait that cannot be ended from outside holds up whoever waits for the task in it. If each
// primitive had a way of its own to be ended, some would be forgotten, and nobody could say in one place "all
// this, by then".
//
// A context is cancelled once, with a cause; its children are cancelled with the same cause, its
// parent never hears of it. It is a level, not an edge: a wait that begins afterwards ends at once, so a
// cancel cannot be missed by coming between two waits. After a resumption a grant beats a cancel of the same
// turn, so nothing that was handed over is lost; the next wait sees the cancel. A deadline is a cancel by the
// clock.
#pragma once

#include <optional>

#include "channels/detail/cancel_link.hpp"
#include "channels/error.hpp"
#include "channels/time/time.hpp"
#include "channels/timer_queue.hpp"

namespace belfry {

// Owner: the one who may cancel it; lives in a frame or an object, longer than its children and than
// every wait that was given it (checked when destroyed). Lifecycle: live, then cancelled for good.
// Cancellation: cancel(), the parent's cancel, or the deadline.
class Context final : detail::CancelLink, detail::TimerNode {
 public:
  // The name is for the message of a broken rule; without one it is that of the function that made the
  // context. One that is no literal is copied.
  explicit Context(Loop& loop, const char* name = __builtin_FUNCTION()) noexcept;
  explicit Context(Context& parent, const char* name = __builtin_FUNCTION()) noexcept;
  // The earlier of this deadline and the parent's applies; at it the cause is deadline_exceeded. A deadline
  // at the end of time (TimePoint::max(), and what has run over it) is none.
  Context(Context& parent, TimePoint deadline, const char* name = __builtin_FUNCTION()) noexcept;
  Context(Context& parent, Duration within, const char* name = __builtin_FUNCTION()) noexcept;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  // Leaves the parent and frees the timer at once.
  ~Context();

  // Returns before anything resumes. The first cause stays.
  void cancel(const Error& cause = Error::cancelled()) noexcept;
  // A deadline that has passed counts, whether or not the loop has come to its timer: a task that never
  // suspends hears it, too.
  bool cancelled() const noexcept { return is_cancelled() || (has_deadline() && deadline_is_over()); }
  // Empty while it is not cancelled.
  const Error& cause() const noexcept { return is_cancelled() ? cancel_cause() : no_cause(); }
  const char* name() const noexcept { return name_; }

  std::optional<TimePoint> deadline() const noexcept {
    return has_deadline() ? std::optional(when) : std::nullopt;
  }
  Loop& loop() const noexcept { return *loop_; }

  // --- for primitives: puts the link into the list, or marks it cancelled if this context is.
  void enlist(detail::CancelLink& link) noexcept {
    if (cancelled()) {
      link.mark_cancelled(cancel_cause());
    } else {
      links_.push_back(link);
    }
  }

 private:
  static void parent_cancelled(detail::CancelLink& link, detail::CancelRound& round) noexcept;
  static void deadline_reached(detail::TimerNode& node) noexcept;
  static const Error& no_cause() noexcept;
  void disarm() noexcept;
  bool has_deadline() const noexcept { return when != TimePoint::max(); }
  bool deadline_is_over() const noexcept;

  Loop* loop_;
  const char* name_;  // kept: see detail/name.hpp
  detail::CancelList links_;
};

// A child with a deadline, in one word:
//   Context soon = within(ctx, 5s);
Context within(Context& parent, Duration time, const char* name = __builtin_FUNCTION()) noexcept;

}  // namespace belfry
