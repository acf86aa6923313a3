// What probes, messages and descriptors say of a service, and its own bells.
#include <algorithm>

#include "daemon/service/service.hpp"

namespace belfry::daemon {

using config::ServiceType;

namespace {

constexpr std::string_view kind_names[] = {"listen", "port", "unix", "notify",   "fd",
                                           "tcp",    "http", "grpc", "postgres", "mysql",
                                           "redis",  "exec", "log",  "file",     "cluster"};
static_assert(std::size(kind_names) == static_cast<std::size_t>(config::Probe::Kind::cluster) + 1);

}  // namespace

std::unique_ptr<ProbeWatch> Service::watch_probes(const config::ProbeSet& set, ProbeRole role) {
  if (std::ranges::all_of(set.probes, [](const config::Probe& p) { return probes::is_event(p.kind); }))
    return nullptr;
  const probes::ProbeContext about{.service = spec_.name,
                                   .tree = tree(),
                                   .launch = this,
                                   .monitor = runtime_.provisions.monitor(*this),
                                   .began = record_.started_at};
  WatchTerms terms{.role = role,
                   .started_at = role == ProbeRole::ready ? record_.started_at : runtime_.loop.now()};
  if (spec_.type == ServiceType::external) terms.recheck = std::chrono::seconds(10);
  ProbeListener& listener = *this;
  auto made = std::make_unique<ProbeWatch>(runtime_.loop, runtime_.probe_slots, listener, terms);
  if (auto ok = made->begin(set, runtime_.probes, about, runtime_.listener.random()); !ok) {
    record_.failure = ok.error();
    return nullptr;
  }
  return made;
}

const std::vector<config::OwnBell>* Service::own_bell_specs() const {
  return spec_.extras == nullptr || spec_.extras->bells.empty() ? nullptr : &spec_.extras->bells;
}

void Service::watch_own_bells() {
  const probes::ProbeContext about{.service = spec_.name,
                                   .tree = tree(),
                                   .launch = this,
                                   .monitor = runtime_.provisions.monitor(*this),
                                   .began = record_.started_at};
  OwnBellListener& listener = *this;
  own_bells_ = std::make_unique<OwnBells>(runtime_.loop, runtime_.probe_slots, *own_bell_specs(), listener,
                                          record_.started_at);
  if (auto ok = own_bells_->begin(runtime_.probes, about, runtime_.listener.random()); !ok)
    record_.failure = ok.error();
}

Task<void> Service::end_probes(Context&) {
  const Error cause = Error::cancelled("the service stops");
  // Whoever stops must see its probes end, whatever else is cancelled: their way out takes one turn.
  Context patience(runtime_.loop);
  for (auto* watch : {&readiness_, &liveness_}) {
    if (*watch == nullptr) continue;
    (*watch)->end(cause);
    Result<void> joined = co_await (*watch)->joined(patience);
    if (!joined) runtime_.listener.notice(*this, joined.error().text());
    watch->reset();
  }
  if (own_bells_ == nullptr) co_return;
  own_bells_->end(cause);
  Result<void> joined = co_await own_bells_->joined(patience);
  if (!joined) runtime_.listener.notice(*this, joined.error().text());
  own_bells_.reset();
}

bool Service::all_true() const {
  if (spec_.type == ServiceType::gate) return edges_hold();
  if (ready_means_completed() || takes_itself_back()) return false;
  return holds(spec_.ready, record_.truths);
}

// What it was to say and has not said: of the first probe whose truth arrives by itself.
std::string Service::missing_news() const {
  for (std::uint32_t i = 0; i < spec_.ready.probes.size() && record_.state == State::starting; ++i) {
    if ((record_.truths >> i & 1U) != 0) continue;
    switch (spec_.ready.probes[i].kind) {
      case config::Probe::Kind::notify: return "it has not said READY=1";
      case config::Probe::Kind::fd: return "it has not written to its ready descriptor";
      case config::Probe::Kind::log: return "it has not written a line that matches";
      default: break;
    }
  }
  return {};
}

// A message counts in the run that is on its way to be ready; a final STOPPING is not taken back.
void Service::heard(const Heard& what) {
  if (!is_running(record_.state) || record_.state == State::stopping) return;
  for (std::uint32_t i = 0; i < spec_.ready.probes.size(); ++i) {
    if (what.is(spec_.ready.probes[i])) record_.truths |= 1U << i;
  }
  if (readiness_) readiness_->trigger();
  if (own_bells_) {
    own_bells_->trigger();
    own_bells_->heard(what);
  }
  attention_.notify();
}

void Service::never_heard(const config::Probe& which, const Error& why) {
  if (record_.state != State::starting) return;
  probe_error_ = why;
  const auto is_it = [&which](const config::Probe& probe) { return &probe == &which; };
  const bool counts = !spec_.ready.any && std::ranges::any_of(spec_.ready.probes, is_it);
  if (!counts || which.dialect != config::FdDialect::dinit) return;
  record_.failure = Error(Error::Kind::failed, std::string(name()) + " did not start", why);
  attention_.notify();
}

void Service::was_heard() {
  if (readiness_) readiness_->trigger();
  if (own_bells_) own_bells_->trigger();
}

void Service::gave_a_sign() {
  if (readiness_) readiness_->look_after_levels();
}

void Service::probe_changed(ProbeRole role, std::uint32_t index, bool up, const Error& why) {
  if (!up) probe_error_ = why;
  if (role == ProbeRole::ready) {
    if (up)
      record_.truths |= 1U << index;
    else
      record_.truths &= ~(1U << index);
  } else if (!up) {
    record_.failure = Error(Error::Kind::failed, std::string(name()) + " is not alive", why);
    record_.hung = true;
  }
  attention_.notify();
}

void Service::probe_tried(ProbeRole, std::uint32_t, const Result<void>& outcome) {
  ++(outcome ? counters_->probe_successes : counters_->probe_failures);
  if (!outcome) probe_error_ = outcome.error();
}

void Service::own_bell_true(std::uint32_t bell) {
  if (now_->started.rung() && !now_->stopped.ended()) record_.rung |= 1U << bell;
  now_->own(bell).ring();
  runtime_.listener.own_bell_rang(*this, bell);
  tell_dependents(true);
}

void Service::own_bell_tried(std::uint32_t, const Result<void>& outcome) {
  ++(outcome ? counters_->probe_successes : counters_->probe_failures);
}

std::string_view Service::readiness_kind() const {
  if (spec_.ready.empty()) return {};
  return kind_names[static_cast<std::size_t>(spec_.ready.probes.front().kind)];
}

std::string Service::readiness_method() const {
  std::string all;
  for (std::uint32_t i = 0; i < spec_.ready.probes.size(); ++i) {
    const std::string own = readiness_ ? readiness_->method_of(i) : std::string();
    all += i == 0 ? "" : ", ";
    all += own.empty() ? kind_names[static_cast<std::size_t>(spec_.ready.probes[i].kind)] : own;
  }
  return all;
}

}  // namespace belfry::daemon
