// What one run has said of itself (sd_notify(3)), and what is due because of it. Pure: whoever asks brings
// the time.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "channels/error.hpp"
#include "channels/time/time.hpp"
#include "config/model/model.hpp"

namespace belfry::daemon {

// A moment, and how long belfry itself had stood still until then: its own pauses move every deadline.
struct Moment {
  TimePoint at{};
  Duration paused{0};  // Loop::paused()
  // `after` later, moved by the pauses until `now`.
  [[nodiscard]] TimePoint plus(Duration after, const Moment& now) const {
    return saturating_add(saturating_add(at, after), now.paused - paused);
  }
};

// A reload that the service has announced (RELOADING=1), or the last one.
struct Reload {
  bool running = false;
  bool overdue = false;  // READY=1 did not follow within `ready.timeout`
  TimePoint began_at{};  // as the service says (MONOTONIC_USEC)
  Moment heard{};
};

// Owner: the run, which a new one replaces.
class NotifyState {
 public:
  NotifyState() = default;
  explicit NotifyState(const config::Service& service)
      : watchdog_(service.extras ? service.extras->watchdog.value_or(Duration::zero()) : Duration::zero()) {}

  void stop() { stopping_ = true; }
  [[nodiscard]] bool stopping() const { return stopping_; }

  void begin_reload(std::optional<TimePoint> began_at, const Moment& now);
  // True: one was running.
  bool end_reload();
  void reload_is_overdue() { reload_.overdue = true; }
  [[nodiscard]] const Reload& reload() const { return reload_; }
  // `timeout`: `ready.timeout`; none: it may take for ever.
  [[nodiscard]] TimePoint reload_due(std::optional<Duration> timeout, const Moment& now) const;

  // Silence is counted from the bell on: a service that takes long to come up is not one that hangs.
  void ping(const Moment& now) { last_ping_ = now; }
  void ready_at(const Moment& now) { last_ping_.paused = now.paused; }
  void set_watchdog(Duration interval, const Moment& now) { watchdog_ = interval, last_ping_ = now; }
  [[nodiscard]] Duration watchdog() const { return watchdog_; }
  [[nodiscard]] TimePoint watchdog_due(std::optional<TimePoint> ready_at, const Moment& now) const;

  // EXTEND_TIMEOUT_USEC: the current phase's deadline is not earlier. A new phase begins without.
  void extend(TimePoint until) { extended_until_ = std::max(extended_until_, until); }
  void begin_phase() { extended_until_ = {}; }
  [[nodiscard]] TimePoint extended_until() const { return extended_until_; }

  void set_status(std::string text) { texts().status = std::move(text); }
  void set_error(std::optional<int> errnum, std::optional<int> exit_status);
  [[nodiscard]] const std::string& status() const;
  [[nodiscard]] std::optional<int> exit_status() const;
  // " (it said ERRNO=5, Input/output error)"; empty: it said nothing.
  [[nodiscard]] std::string of_the_end() const;

  // It has taken its readiness back itself, and why, for a service of this name.
  [[nodiscard]] bool takes_itself_back() const { return stopping_ || reload_.overdue; }
  [[nodiscard]] Error why_unready(std::string_view name, std::optional<Duration> timeout) const;

 private:
  // What few services say.
  struct Texts {
    std::string status;                // STATUS=
    std::optional<int> errnum{};       // ERRNO=: why it failed or is about to
    std::optional<int> exit_status{};  // EXIT_STATUS=
  };
  Texts& texts() {
    if (texts_ == nullptr) texts_ = std::make_unique<Texts>();
    return *texts_;
  }

  bool stopping_ = false;  // a later READY=1 does not take that back
  Reload reload_{};
  Duration watchdog_{0};  // how long it may be silent; zero: for ever
  Moment last_ping_{};
  TimePoint extended_until_{};
  std::unique_ptr<Texts> texts_;  // null: it has said none
};

[[nodiscard]] std::string milliseconds(Duration d);

}  // namespace belfry::daemon
