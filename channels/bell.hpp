// A one-shot broadcast: it rings once, or says once that it never will, and everybody hears.
//
// The problem: many wait for one event. Whoever comes late must not wait for ever for what has happened
// already; who rings must not be held up by who listens; and if the event cannot come any more, nobody may be
// stranded.
//
// Like closing a Go channel: never blocks, releases every waiter, lets later ones pass at once,
// harmless when repeated. Unlike it, it can end without ringing (`never`), with a cause, so that a
// failed start strands nobody; and it carries a value and the time.
#pragma once

#include <cstdint>
#include <utility>

#include "channels/detail/wait.hpp"
#include "channels/error.hpp"
#include "channels/time/time.hpp"

namespace belfry {

struct Unit {
  friend bool operator==(Unit, Unit) = default;
};

// How a wait for a bell ended.
struct Outcome {
  enum class Kind : std::uint8_t { rung, never, cancelled };

  Kind kind = Kind::rung;
  TimePoint at;  // when it rang or gave up; unset when cancelled
  Error cause;   // of never and cancelled; empty when rung

  bool rung() const noexcept { return kind == Kind::rung; }
  bool never() const noexcept { return kind == Kind::never; }
  bool cancelled() const noexcept { return kind == Kind::cancelled; }
  explicit operator bool() const noexcept { return rung(); }
};

template <class T = Unit>
class Bell;
template <class T = Unit>
class Listener;
template <class T = Unit>
class Ringer;

namespace detail {

enum class BellState : std::uint8_t { silent, rung, never };

// What all bells are, whatever they carry.
class BellCore : public WaitingPlace {
 public:
  BellCore(Loop& l, const char* n) noexcept : WaitingPlace(l, n) {}
  ~BellCore() { assert_quiet("destroy bell"); }

  bool ended() const noexcept { return state_ != BellState::silent; }
  bool rung() const noexcept { return state_ == BellState::rung; }
  TimePoint at() const noexcept { return at_; }
  const Error& cause() const noexcept { return cause_; }

  // Precondition: not ended. O(1), however many wait.
  void end(BellState how) noexcept {
    at_ = loop->now();
    state_ = how;
    loop->wake_all(waiters);
  }
  bool never(Error cause) noexcept {
    if (ended()) return false;
    cause_ = std::move(cause);
    end(BellState::never);
    return true;
  }
  Outcome outcome() const {
    return {.kind = rung() ? Outcome::Kind::rung : Outcome::Kind::never, .at = at_, .cause = cause_};
  }

 private:
  BellState state_ = BellState::silent;  // shares a word with the count of waiters
  TimePoint at_;
  Error cause_;
};

// Owner: the awaiting frame. Lifecycle: one wait. Cancellation: by its context; the bell never knows.
class BellWait final : public Wait<BellWait> {
 public:
  BellWait(BellCore& bell, Context& ctx) noexcept : Wait(bell, ctx, bell.ended()) {}

  bool await_ready() const noexcept { return bell().ended() || is_cancelled(); }
  void await_suspend(std::coroutine_handle<> awaiting) noexcept { suspend(awaiting); }
  Outcome await_resume() noexcept {
    resumed();
    if (bell().ended()) return bell().outcome();
    return {.kind = Outcome::Kind::cancelled, .at = {}, .cause = cancel_cause()};
  }
  bool granted() const noexcept { return bell().ended(); }
  std::string describe() const { return named("bell", bell().name); }

 private:
  BellCore& bell() const noexcept { return static_cast<BellCore&>(*place_); }
};

// The same for the payload. Owner, lifecycle, cancellation: as BellWait.
template <class T>
class BellValueWait final {
 public:
  BellValueWait(Bell<T>& bell, Context& ctx) noexcept : bell_(bell), wait_(bell.wait(ctx)) {}
  bool await_ready() const noexcept { return wait_.await_ready(); }
  void await_suspend(std::coroutine_handle<> awaiting) noexcept { wait_.await_suspend(awaiting); }
  Result<T> await_resume() {
    Outcome outcome = wait_.await_resume();
    if (outcome.rung()) return bell_.value();
    return std::unexpected(std::move(outcome.cause));
  }

 private:
  Bell<T>& bell_;
  BellWait wait_;
};

}  // namespace detail

// Owner: the one whose event it is; inline, never moved. Lifecycle: silent, then rung or never, for
// good. Must outlive its waits: destroying it while a task waits, or before a released task has
// resumed, ends the process with the bell's name. Ringing it twice, or from whatever its ringing has woken,
// is harmless: it has ended by then, and nobody is resumed inside ring(). Cancellation: of a wait, never of
// the bell.
template <class T>
class Bell {
 public:
  // A name that is no literal is copied.
  Bell(Loop& loop, const char* name) noexcept : core_(loop, name) {}

  // Releases every waiter in the coming turn. False when it had ended before: nothing changes then.
  bool ring(T value = {}) {
    if (core_.ended()) return false;
    value_ = std::move(value);
    core_.end(detail::BellState::rung);
    return true;
  }
  // Ends it without ringing. False when it had ended before.
  bool never(Error cause) noexcept { return core_.never(std::move(cause)); }

  bool ended() const noexcept { return core_.ended(); }
  bool rung() const noexcept { return core_.rung(); }
  TimePoint at() const noexcept { return core_.at(); }           // precondition: ended()
  const T& value() const noexcept { return value_; }             // precondition: rung()
  const Error& cause() const noexcept { return core_.cause(); }  // precondition: ended and not rung
  const char* name() const noexcept { return core_.name; }

  Listener<T> listener() noexcept { return Listener<T>(*this); }
  Ringer<T> ringer() noexcept { return Ringer<T>(*this); }
  // co_await bell.wait(ctx) -> Outcome. Does not suspend when the bell has ended.
  detail::BellWait wait(Context& ctx) noexcept { return {core_, ctx}; }
  // co_await bell.get(ctx) -> Result<T>: a copy of the payload, for each who asks, late or not; the cause of
  // never; or the cause of ctx.
  detail::BellValueWait<T> get(Context& ctx) noexcept { return {*this, ctx}; }

 private:
  friend class Listener<T>;
  detail::BellCore core_;
  [[no_unique_address]] T value_{};
};

// May wait and look, cannot ring. A reference: the bell must outlive it.
template <class T>
class Listener {
 public:
  Listener() noexcept = default;  // listens to nothing; whatever needs a bell ends the process
  explicit Listener(Bell<T>& bell) noexcept : bell_(&bell) {}
  // co_await listener.wait(ctx) -> Outcome.
  detail::BellWait wait(Context& ctx) const noexcept { return {bell().core_, ctx}; }
  // co_await listener.get(ctx) -> Result<T>, as Bell::get.
  detail::BellValueWait<T> get(Context& ctx) const noexcept { return bell().get(ctx); }
  explicit operator bool() const noexcept { return bell_ != nullptr; }
  bool ended() const noexcept { return bell().ended(); }
  bool rung() const noexcept { return bell().rung(); }
  TimePoint at() const noexcept { return bell().at(); }
  const T& value() const noexcept { return bell().value(); }
  const Error& cause() const noexcept { return bell().cause(); }
  const char* name() const noexcept { return bell().name(); }
  detail::BellCore& core() const noexcept { return bell().core_; }

 private:
  Bell<T>& bell() const noexcept {
    if (bell_ == nullptr) [[unlikely]]
      detail::die("listen to", "nil", "this listener was never given a bell");
    return *bell_;
  }

  Bell<T>* bell_ = nullptr;
};

// May ring, cannot wait. A reference: the bell must outlive it.
template <class T>
class Ringer {
 public:
  explicit Ringer(Bell<T>& bell) noexcept : bell_(&bell) {}
  bool ring(T value = {}) const { return bell_->ring(std::move(value)); }
  bool never(Error cause) const noexcept { return bell_->never(std::move(cause)); }
  const char* name() const noexcept { return bell_->name(); }

 private:
  Bell<T>* bell_;
};

static_assert(sizeof(Bell<>) <= 64);

}  // namespace belfry
