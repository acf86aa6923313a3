// What a service says of itself (sd_notify(3), by way of daemon/notify/router), and what follows from it.
#include <algorithm>
#include <utility>

#include "config/model/enum_names.hpp"
#include "daemon/service/service.hpp"

namespace belfry::daemon {

// In an order in which a message with several assignments makes sense.
void Service::said(const NotifyMessage& message) {
  NotifyState& said = record_.run.said;
  const bool running = is_running(record_.state);
  const bool listens = running && record_.state != State::stopping;
  if (readiness_) readiness_->look_after_levels();
  if (message.bad_status) refused(NotifyRefusal::not_utf8);
  if (message.status) said.set_status(*message.status);
  if (message.errnum || message.exit_status) said.set_error(message.errnum, message.exit_status);
  if (message.watchdog_interval && listens) {
    said.set_watchdog(*message.watchdog_interval, moment());
    attention_.notify();
  }
  if (message.watchdog != WatchdogPing::none) said.ping(moment());
  if (message.watchdog == WatchdogPing::trigger && listens) {
    expire_watchdog(std::string(name()) + " said WATCHDOG=trigger");
    attention_.notify();
  }
  if (message.extend_timeout && running) {
    said.extend(saturating_add(runtime_.loop.now(), *message.extend_timeout));
    runtime_.listener.asked_for_time(*this, *message.extend_timeout);
    attention_.notify();
  }
  if (message.reloading && listens && !said.stopping()) {
    said.begin_reload(message.monotonic, moment());
    level_changed();
    attention_.notify();
  }
  if (listens) take_outputs(message);
  if (message.ready && listens) said_ready(message.sender);
  if (message.stopping && running) {
    said.stop();
    attention_.notify();
  }
}

// It counts in the run that is on its way to be ready; a final STOPPING is not taken back.
void Service::said_ready(pid_t sender) {
  if (record_.run.said.stopping()) return refused(NotifyRefusal::after_stopping);
  if (record_.run.said.end_reload()) level_changed();
  heard({.kind = config::Probe::Kind::notify, .pid = sender});
}

void Service::refused(NotifyRefusal why) {
  ++counters_->notify_refused;
  ++tally_->refused[std::to_underlying(why)];
}

RunFacts Service::facts() const {
  const Run& run = record_.run;
  return {.running = is_running(record_.state),
          .runs = record_.runs,
          .pid = run.pid,
          .main = main_pid(),
          .leader = run.leader,
          .hook = hook_ ? hook_->pid() : 0,
          .reloader = record_.reloader,
          .marker = marker()};
}

void Service::main_process_is(pid_t pid) {
  if (record_.run.main != 0) runtime_.processes.unfollow(record_.run.main);
  record_.run.main = pid;
  if (pid != 0) runtime_.processes.follow(pid, *this);
  level_changed();
}

void Service::main_ended(pid_t pid, std::optional<system::ExitStatus> status) {
  if (pid != record_.run.main) return;
  resources().drain();
  runtime_.processes.unfollow(pid);
  record_.run.main = 0;
  if (!status && record_.run.said.exit_status())
    status = system::ExitStatus{.signaled = false, .value = *record_.run.said.exit_status()};
  // A service that is gone and does not say how must not be taken for one that has done its work.
  if (!status && !record_.run.failure) {
    record_.run.failure = Error::failed(std::string(name()) + " ended: process " + std::to_string(pid) +
                                        ", which it called its main one, is gone, and its parent knows how");
  }
  if (status) take_facts_of_end(pid, *status);
  it_ended(status.value_or(system::ExitStatus{}));
  attention_.notify();
}

bool Service::signal_main(int signo) {
  if (record_.run.main != 0) return resources().signal_main(signo);
  return record_.run.pid != 0 && runtime_.processes.signal(tree(), signo, system::Scope::leader);
}

void Service::heard(const Heard& what) {
  if (!is_running(record_.state) || record_.state == State::stopping) return;
  if (what.words.empty()) {
    readiness_->heard(what);
  } else {
    const std::string line = shown_line(what.words);
    Heard shown = what;
    shown.words = line;
    readiness_->heard(shown);
  }
  attention_.notify();
}

void Service::never_heard(const config::Probe& which, const Error& why) {
  if (record_.state != State::starting) return;
  readiness_->note_error(why);
  const auto is_it = [&which](const config::Probe& probe) { return &probe == &which; };
  const bool counts = !spec().ready.any && std::ranges::any_of(spec().ready.probes, is_it);
  if (!counts || which.dialect != config::FdDialect::dinit) return;
  record_.run.failure = Error(Error::Kind::failed, std::string(name()) + " did not start", why);
  attention_.notify();
}

void Service::sockets_changed() {
  if (readiness_) readiness_->trigger();
}

void Service::probe_tried(const ProbeAttempt& attempt) {
  observed().probe_tried(config::name_of(attempt.kind), attempt.outcome.has_value(),
                         std::chrono::duration<double>(attempt.took).count());
  // What it is known as of may have changed, though its answer has not.
  if (attempt.kind == config::Probe::Kind::cluster) tell_dependents(false);
}

ServiceTimes& Service::observed() {
  if (times_ == nullptr) times_ = std::make_unique<ServiceTimes>();
  return *times_;
}

// When the whole stack goes down for it, it goes in its turn, and is unready until then.
void Service::live_failed(const Error& why, bool for_good) {
  const Error failure(Error::Kind::failed, std::string(name()) + " is not alive", why);
  if (for_good) {
    runtime_.listener.must_go_down(*this, failure);
  } else {
    record_.run.failure = failure;
    record_.run.hung = true;
  }
  attention_.notify();
}

void Service::own_bell_true(std::uint32_t bell, const Evidence& evidence) {
  now_->own(bell).ring();  // whoever waits for it is resumed later, and finds what is fixed here
  fix_outputs(now_->ready.ended() && now_->has_rung_its_own());
  runtime_.listener.own_bell_rang(*this, bell, evidence);
  tell_dependents(true);
}

void Service::expire_watchdog(std::string why) {
  record_.run.failure =
      Error(Error::Kind::failed, std::string(name()) + " is not alive", Error::failed(std::move(why)));
  record_.run.watchdog_expired = true;
}

std::optional<Duration> Service::ready_timeout() const {
  std::optional<Duration> least;
  for (const config::Probe& probe : spec().ready.probes) {
    if (probe.timeout) least = std::min(least.value_or(*probe.timeout), *probe.timeout);
  }
  return least;
}

// What it said may be due: the watchdog's silence, a reload that takes too long. Returns when to look again.
TimePoint Service::look_at_what_was_said() {
  NotifyState& said = record_.run.said;
  const TimePoint heard_until = runtime_.loop.horizon();
  const TimePoint silent_at = said.watchdog_due(record_.run.ready_at, moment());
  if (silent_at <= heard_until && !record_.run.failure)
    expire_watchdog("it did not say WATCHDOG=1 for " + milliseconds(said.watchdog()));
  if (said.reload_due(ready_timeout(), moment()) <= heard_until) said.reload_is_overdue();
  return std::min(silent_at, said.reload_due(ready_timeout(), moment()));
}

Error Service::why_unready() const {
  const NotifyState& said = record_.run.said;
  return said.takes_itself_back() ? said.why_unready(name(), ready_timeout()) : readiness_->last_error();
}

}  // namespace belfry::daemon
