#include "daemon/service/notify_state.hpp"

#include <algorithm>
#include <cstring>

#include "channels/error.hpp"

namespace belfry::daemon {

std::string milliseconds(Duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

// It stays ready: what it offers goes on while it reads its configuration. Only when READY=1 does not follow
// in time is it unready.
void NotifyState::begin_reload(std::optional<TimePoint> began_at, const Moment& now) {
  reload_.running = true;
  reload_.began_at = std::min(began_at.value_or(now.at), now.at);
  reload_.heard = now;
  begin_phase();
}

bool NotifyState::end_reload() {
  if (!reload_.running) return false;
  reload_.running = false;
  reload_.overdue = false;
  return true;
}

TimePoint NotifyState::reload_due(std::optional<Duration> timeout, const Moment& now) const {
  if (!reload_.running || reload_.overdue || !timeout) return TimePoint::max();
  return std::max(reload_.heard.plus(*timeout, now), extended_until_);
}

TimePoint NotifyState::watchdog_due(std::optional<TimePoint> ready_at, const Moment& now) const {
  if (watchdog_ <= Duration::zero() || !ready_at) return TimePoint::max();
  return Moment{.at = std::max(*ready_at, last_ping_.at), .paused = last_ping_.paused}.plus(watchdog_, now);
}

void NotifyState::set_error(std::optional<int> errnum, std::optional<int> exit_status) {
  if (errnum) texts().errnum = errnum;
  if (exit_status) texts().exit_status = exit_status;
}

const std::string& NotifyState::status() const {
  static const std::string none;
  return texts_ == nullptr ? none : texts_->status;
}

std::optional<int> NotifyState::exit_status() const {
  return texts_ == nullptr ? std::nullopt : texts_->exit_status;
}

std::string NotifyState::of_the_end() const {
  if (texts_ == nullptr || !texts_->errnum || *texts_->errnum == 0) return {};
  return " (it said ERRNO=" + std::to_string(*texts_->errnum) + ", " + std::strerror(*texts_->errnum) + ")";
}

Error NotifyState::why_unready(std::string_view name, std::optional<Duration> timeout) const {
  std::string text(name);
  if (stopping_) return Error::failed(text + " has said STOPPING=1");
  return Error::failed(text + " has said RELOADING=1, and not READY=1 within " +
                       milliseconds(timeout.value_or(Duration::zero())));
}

}  // namespace belfry::daemon
