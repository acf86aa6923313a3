// What a service says of itself (sd_notify(3), by way of daemon/notify/router), and what follows from it.
#include <algorithm>
#include <csignal>
#include <cstring>

#include "daemon/service/service.hpp"

namespace belfry::daemon {

namespace {

std::string seconds(Duration d) {
  std::string text = std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
  return text + " ms";
}

}  // namespace

NotifyState& Service::notify_state() {
  if (notify_state_ == nullptr) notify_state_ = std::make_unique<NotifyState>();
  return *notify_state_;
}

NotifyTally& Service::notify_tally() { return notify_state().tally; }

const std::string& Service::status_text() const {
  static const std::string none;
  return notify_state_ == nullptr ? none : notify_state_->status;
}

void Service::refuse_message(NotifyRefusal why) {
  ++counters_->notify_refused;
  ++notify_state().tally.refused[std::to_underlying(why)];
}

// What was said of one run says nothing of the next.
void Service::forget_what_was_said() {
  record_.main = 0;
  record_.said_stopping = false;
  record_.reload = {};
  record_.extended_until = {};
  record_.last_ping = {};
  record_.watchdog = spec_.extras ? spec_.extras->watchdog.value_or(Duration::zero()) : Duration::zero();
  record_.watchdog_expired = false;
  if (notify_state_ == nullptr) return;
  notify_state_->status.clear();
  notify_state_->errnum.reset();
  notify_state_->exit_status.reset();
}

bool Service::listens_to_messages() const {
  return is_running(record_.state) && record_.state != State::stopping;
}

void Service::said_ready() {
  if (!listens_to_messages()) return;
  if (record_.said_stopping) return refuse_message(NotifyRefusal::after_stopping);
  if (record_.reload.running) {
    record_.reload.running = false;
    record_.reload.overdue = false;
    tell_watchers();
  }
  heard({config::Probe::Kind::notify});
}

// It stays ready: what it offers goes on while it reads its configuration. Only when READY=1 does not follow
// in time is it unready.
void Service::said_reloading(std::optional<TimePoint> began_at) {
  if (!listens_to_messages() || record_.said_stopping) return;
  const TimePoint now = runtime_.loop.now();
  record_.reload.running = true;
  record_.reload.began_at = std::min(began_at.value_or(now), now);
  record_.reload.heard_at = now;
  record_.reload.paused_before = runtime_.loop.paused();
  record_.extended_until = {};
  tell_watchers();
  attention_.notify();
}

void Service::said_stopping() {
  if (!is_running(record_.state)) return;
  record_.said_stopping = true;
  attention_.notify();
}

void Service::said_status(std::string text) { notify_state().status = std::move(text); }

void Service::said_error(std::optional<int> errnum, std::optional<int> exit_status) {
  if (errnum) notify_state().errnum = errnum;
  if (exit_status) notify_state().exit_status = exit_status;
}

void Service::said_watchdog(WatchdogPing what) {
  note_ping();
  if (what != WatchdogPing::trigger || !listens_to_messages()) return;
  expire_watchdog(std::string(name()) + " said WATCHDOG=trigger");
  attention_.notify();
}

void Service::said_watchdog_interval(Duration interval) {
  if (!listens_to_messages()) return;
  record_.watchdog = interval;
  note_ping();
  attention_.notify();
}

// Only where there is a deadline to move: the start's, the reload's, or the stop's.
void Service::said_extend_timeout(Duration by) {
  if (!is_running(record_.state)) return;
  record_.extended_until = std::max(record_.extended_until, saturating_add(runtime_.loop.now(), by));
  runtime_.listener.asked_for_time(*this, by);
  attention_.notify();
}

void Service::said_main_pid(pid_t pid) {
  if (record_.main != 0) runtime_.processes.unfollow(record_.main);
  record_.main = pid;
  if (pid != 0) runtime_.processes.follow(pid, *this);
  tell_watchers();
}

void Service::main_ended(pid_t pid, std::optional<system::ExitStatus> status) {
  if (pid != record_.main) return;
  runtime_.provisions.drain(*this);
  runtime_.processes.unfollow(pid);
  record_.main = 0;
  if (!status && notify_state_ && notify_state_->exit_status)
    status = system::ExitStatus{.signaled = false, .value = *notify_state_->exit_status};
  // A service that is gone and does not say how must not be taken for one that has done its work.
  if (!status && !record_.failure) {
    record_.failure =
        Error(Error::Kind::failed, std::string(name()) + " ended: process " + std::to_string(pid) +
                                       ", which it called its main one, is gone, and its parent "
                                       "knows how");
  }
  it_ended(status.value_or(system::ExitStatus{}));
  attention_.notify();
}

bool Service::signal_main(int signo) {
  if (record_.main != 0) return runtime_.provisions.signal_main(*this, signo);
  return record_.pid != 0 && runtime_.processes.signal(tree(), signo, system::Scope::leader);
}

// Silence is counted from the bell on: a service that takes long to come up is not one that hangs.
TimePoint Service::watchdog_due() const {
  if (record_.watchdog <= Duration::zero() || !record_.ready_at) return TimePoint::max();
  return moved_by_pauses(std::max(*record_.ready_at, record_.last_ping), record_.watchdog,
                         record_.paused_before_ping);
}

void Service::note_ping() {
  record_.last_ping = runtime_.loop.now();
  record_.paused_before_ping = runtime_.loop.paused();
}

void Service::expire_watchdog(std::string why) {
  record_.failure = Error(Error::Kind::failed, std::string(name()) + " is not alive",
                          Error(Error::Kind::failed, std::move(why)));
  record_.watchdog_expired = true;
}

TimePoint Service::reload_due() const {
  if (!record_.reload.running || record_.reload.overdue) return TimePoint::max();
  const auto timeout = ready_timeout();
  if (!timeout) return TimePoint::max();
  return std::max(moved_by_pauses(record_.reload.heard_at, *timeout, record_.reload.paused_before),
                  record_.extended_until);
}

std::optional<Duration> Service::ready_timeout() const {
  std::optional<Duration> least;
  for (const config::Probe& probe : spec_.ready.probes) {
    if (probe.timeout) least = std::min(least.value_or(*probe.timeout), *probe.timeout);
  }
  return least;
}

// What it said may be due: the watchdog's silence, a reload that takes too long. Returns when to look again.
TimePoint Service::look_at_what_was_said() {
  const TimePoint heard_until = runtime_.loop.horizon();
  if (watchdog_due() <= heard_until && !record_.failure)
    expire_watchdog("it did not say WATCHDOG=1 for " + seconds(record_.watchdog));
  if (reload_due() <= heard_until) record_.reload.overdue = true;
  return std::min(watchdog_due(), reload_due());
}

bool Service::takes_itself_back() const { return record_.said_stopping || record_.reload.overdue; }

Error Service::why_unready() const {
  if (record_.said_stopping) return Error(Error::Kind::failed, std::string(name()) + " has said STOPPING=1");
  if (record_.reload.overdue) {
    return Error(Error::Kind::failed, std::string(name()) + " has said RELOADING=1, and not READY=1 within " +
                                          seconds(ready_timeout().value_or(Duration::zero())));
  }
  return probe_error_;
}

std::string Service::what_it_said_of_the_end() const {
  if (notify_state_ == nullptr || !notify_state_->errnum || *notify_state_->errnum == 0) return {};
  return " (it said ERRNO=" + std::to_string(*notify_state_->errnum) + ", " +
         std::strerror(*notify_state_->errnum) + ")";
}

}  // namespace belfry::daemon
