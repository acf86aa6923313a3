// What a reload of the stack makes of one service: another description, at rest or while it runs, or none.
//
// Whoever was made by a description refers to it: the probes of a run, and the handle that gives a run its
// pipes, compare probes by where they lie. So a run goes on with what it began with, the next one takes
// everything from the new description, and each of them keeps the one that it was made by: with the last of
// them it goes, and the secrets in it.
#include <algorithm>
#include <utility>

#include "daemon/service/bound_texts.hpp"
#include "daemon/service/service.hpp"

namespace belfry::daemon {

namespace {

bool names_other_bells(const config::Service& one, const config::Service& other) {
  static const std::vector<config::OwnBell> none;
  const auto bells = [](const config::Service& of) -> const std::vector<config::OwnBell>& {
    return of.extras ? of.extras->bells : none;
  };
  return !std::ranges::equal(bells(one), bells(other), {}, &config::OwnBell::name, &config::OwnBell::name);
}

// Not one that was asked to rest in this very turn.
bool is_on_its_way(const Record& record) {
  if (record.intent == Intent::rest) return false;
  return record.state == State::waiting || record.state == State::backoff ||
         (record.start_requested && record.state != State::blocked);
}

}  // namespace

void Service::let_go() {
  if (!std::exchange(held_back_, false)) return;
  attention_.notify();
}

// The old one may be looked at by who was about to do so in this turn.
void Service::describe_anew(SharedSpec spec) {
  describe_by(*spec);
  SharedSpec old = std::exchange(*described_by_, std::move(spec));
  if (old == nullptr) return;
  Loop& loop = runtime_.loop;
  loop.post([&loop, old] { loop.post([old] {}); });
}

void Service::leave_handle() {
  left_handles_.push_back({.spec = *std::as_const(handle_from_), .handle = std::move(resources_)});
  drop_handle();
}

void Service::drop_handle() {
  resources_.reset();
  handle_from_ = {};
}

// That of the start belongs to the stack, which outlives every service.
SharedSpec Service::shared_spec() const {
  return description() == nullptr ? SharedSpec(std::shared_ptr<void>(), &spec()) : description();
}

void Service::adopt(SharedSpec spec, OtherProbes probes) {
  const config::Service& before = this->spec();
  describe_anew(std::move(spec));
  if (!std::as_const(lost_since_)->empty()) lost_since_->clear();
  if (!is_running(record_.state)) {
    adopt_at_rest(before);
  } else {
    handle_is_old_ = resources_ != nullptr;
    ask_anew(probes);
  }
  attention_.notify();
}

// Probes that are not asked yet are asked in the new way when their time comes; of who stops none is.
void Service::ask_anew(OtherProbes probes) {
  const bool is_up = record_.state == State::ready || record_.state == State::unready;
  if (!is_up && record_.state != State::starting) return;
  probes::ProbeContext about = about_probes();
  if (probes.ready && now_->started.rung()) {
    if (auto watched = readiness_->watch_anew(description(), about); !watched)
      record_.run.failure = watched.error();
  }
  if (!probes.live) return;
  about.publisher = nullptr;
  if (auto watched = readiness_->exchange_live(description(), is_up ? &about : nullptr); !watched)
    record_.run.failure = watched.error();
}

// What was made for a run that has not begun is made anew; what belfry listens on stays bound.
void Service::adopt_at_rest(const config::Service& before) {
  launch_.reset();
  bound_.reset();
  refusal_ = {};
  edges_hold_since_ = TimePoint::max();
  handle_is_old_ = resources_ != nullptr;
  if (resources_ != nullptr && !record_.stuck) {
    if (is_on_its_way(record_)) runtime_.resources.keep_sockets(index());
    const bool is_empty = resources_->release(true);
    is_empty ? drop_handle() : leave_handle();
    handle_is_old_ = false;
  }
  if (!names_other_bells(before, spec())) return;
  const bool is_fresh = !now_->stopped.ended();
  const Error cause = Error::failed("the file names other bells of " + std::string(name()));
  const SharedIncarnation ended = now_;
  fresh_incarnation();
  if (!is_fresh) {
    now_->end(cause);
    now_->stopped.never(cause);
    return;
  }
  ended->end(cause);
  ended->stopped.never(cause);
}

// Of one that rests clients are refused.
void Service::take_sockets() {
  if (is_on_its_way(record_) && spec().extras && !spec().extras->listen.empty()) resources().bind_sockets();
}

// With the first thing that the next run is given.
void Service::renew_old_handle() {
  if (!handle_is_old_ || is_running(record_.state) || record_.stuck) return;
  handle_is_old_ = false;
  launch_.reset();
  leave_handle();
}

void Service::retire(SharedSpec rest) {
  is_retired_ = true;
  held_back_ = false;
  record_.wanted = record_.start_requested = false;
  record_.stopped_by_command = record_.stopped_by_loss = false;
  describe_anew(std::move(rest));
  // Somebody has asked for its start when it was about to go.
  if (!is_settled(record_.state) || record_.state == State::blocked) record_.intent = Intent::rest;
  if (!record_.stuck) {
    now_->outputs.reset();
    readiness_.reset();
    bound_.reset();
    give_back();
    drop_handle();
    left_handles_.clear();
  }
  level_changed();
  attention_.notify();
}

}  // namespace belfry::daemon
