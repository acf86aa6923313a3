#include "daemon/supervisor/schedules.hpp"

#include <algorithm>
#include <utility>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "config/model/duration.hpp"

namespace belfry::daemon {

namespace {

// A run that comes later than this is told to be late.
constexpr Duration noticeable = std::chrono::minutes(1);
// Where nobody tells that the time of day was set, it is looked at now and then.
constexpr Duration look_at_the_clock_after = std::chrono::minutes(1);

// Its last run, or the one that was asked for, is not over.
bool is_busy(const Service& service) {
  const Record& record = service.record();
  return !is_settled(record.state) || record.state == State::blocked || record.start_requested ||
         record.intent != Intent::run;
}

std::string what_the_last_one_does(const Service& service) {
  switch (service.state()) {
    case State::waiting: return "waits for what it needs";
    case State::blocked: return "is blocked";
    case State::backoff: return "has failed, and is about to be tried again";
    case State::stopping: return "is stopping";
    default: return "has not ended";
  }
}

std::string times_text(const DueRuns& due) {
  return (due.is_at_least ? "more than " : "") + std::to_string(due.count) + " times";
}

std::string rough(Duration span) { return config::to_string(std::chrono::floor<std::chrono::seconds>(span)); }

}  // namespace

const config::Schedule* schedule_of(const config::Service& spec) {
  return spec.extras && spec.extras->schedule ? &*spec.extras->schedule : nullptr;
}

Schedules::Schedules(Context& parent, WaitGroup& lives, StateListener& listener, RandomSource& random)
    : loop_(parent.loop()),
      parent_(parent),
      lives_(lives),
      listener_(listener),
      random_(random),
      steady_(loop_),
      attention_(loop_, "schedules"),
      clock_set_(loop_, "time of day") {}

Clocks Schedules::now() const { return {.at = loop_.now(), .day = time_->now()}; }

// Not drawn where it is not needed: a stack without jitter is as it was.
double Schedules::chance_for(const Timetable& timetable) {
  return timetable.spec.jitter > Duration::zero() ? random_.random() : 0.0;
}

void Schedules::take(Service& service) {
  const config::Schedule* spec = schedule_of(service.spec());
  if (spec == nullptr || service.is_retired()) return let_go(service);
  const auto known = entries_.find(service.index());
  if (known != entries_.end() && known->second.timetable.spec == *spec) return;
  auto timetable = timetable_of(*spec);
  if (!timetable) {
    listener_.notice(service, "cannot run by itself: " + timetable.error());
    return let_go(service);
  }
  ScheduleState state = begin_schedule(*timetable, now(), chance_for(*timetable));
  if (known != entries_.end()) {
    const ScheduleState& before = known->second.state;
    state.is_queued = before.is_queued && spec->overlap != config::Overlap::skip;
    state.last = before.last;
    state.missed = before.missed;
    state.skipped = before.skipped;
  }
  if (timetable->goes_by_the_day()) be_told_of_set_clocks();
  entries_.insert_or_assign(service.index(), Entry{&service, *std::move(timetable), state});
  attention_.notify();
  if (!std::exchange(runs_, true)) spawn(lives_, "schedules", run(parent_));
}

void Schedules::be_told_of_set_clocks() {
  if (is_told_ || cannot_be_told_) return;
  const Result<void> told = time_->tell(clock_set_);
  is_told_ = told.has_value();
  cannot_be_told_ = !is_told_;
}

void Schedules::stop() {
  stopped_ = true;
  for (auto& [index, entry] : entries_) entry.state.is_queued = false;
}

void Schedules::changed(const Service& service) {
  if (entries_.empty()) return;
  const auto found = entries_.find(service.index());
  if (found != entries_.end() && found->second.state.is_queued) attention_.notify();
}

Task<void> Schedules::run(Context& ctx) {
  while (!ctx.cancelled()) {
    const TimePoint due = look();
    auto called = on(attention_);
    auto set = on(clock_set_);
    auto late = by(loop_, due);
    const std::size_t which = co_await select(ctx, called, set, late);
    if (which != 1) continue;
    for (auto& [index, entry] : entries_) clock_was_set(entry.timetable, entry.state, now());
  }
}

TimePoint Schedules::look() {
  if (stopped_) return TimePoint::max();
  TimePoint next = TimePoint::max();
  for (auto& [index, entry] : entries_) {
    const Clocks clocks = now();
    if (due_at(entry.timetable, entry.state, clocks) <= clocks.at) {
      const DueRuns due = take_due(entry.timetable, entry.state, clocks, chance_for(entry.timetable));
      if (due.count > 0) came(entry, due);
    }
    if (entry.service->record().stopped_by_command) entry.state.is_queued = false;
    if (entry.state.is_queued && !is_busy(*entry.service)) begin(entry);
    const TimePoint due = due_at(entry.timetable, entry.state, clocks);
    next = std::min(next, cannot_be_told_ && entry.timetable.goes_by_the_day()
                              ? std::min(due, saturating_add(clocks.at, look_at_the_clock_after))
                              : due);
  }
  return next;
}

void Schedules::came(Entry& entry, const DueRuns& due) {
  if (entry.service->record().stopped_by_command) return;
  const std::string because = entry.timetable.goes_by_the_day()
                                  ? "the time of day was set, or the machine or belfry stood still"
                                  : "belfry stood still";
  if (due.count > 1) {
    entry.state.missed += due.count - 1;
    say(entry, "was due " + times_text(due) + " in the last " + rough(due.late) +
                   ", and runs once for all of them: " + because);
  } else if (due.late >= noticeable) {
    say(entry, "runs " + rough(due.late) + " late: " + because);
  }
  if (is_busy(*entry.service)) return overlaps(entry);
  begin(entry);
}

void Schedules::begin(Entry& entry) {
  entry.state.is_queued = false;
  if (const std::uint64_t skipped = std::exchange(entry.state.skipped_in_a_row, 0); skipped > 1)
    say(entry, "runs again, after " + std::to_string(skipped) + " runs that were skipped");
  entry.service->request_start();
}

void Schedules::overlaps(Entry& entry) {
  const std::string last = ": the last one " + what_the_last_one_does(*entry.service);
  const bool runs = is_running(entry.service->state());
  const bool is_first = !entry.state.is_queued;
  switch (entry.timetable.spec.overlap) {
    case config::Overlap::queue:
      if (!is_first) break;
      entry.state.is_queued = true;
      return;
    case config::Overlap::kill:
      if (!is_first || !runs) break;
      entry.state.is_queued = true;
      say(entry, "is due again, and its last run has not ended: that is stopped (overlap: kill)");
      entry.service->request_stop({.intent = Intent::rest,
                                   .cause = Error(Error::Kind::cancelled, "its next run is due"),
                                   .in_order = false,
                                   .by_command = false});
      return;
    case config::Overlap::skip: break;
  }
  ++entry.state.skipped;
  // Said once for as long as it lasts; how many there were is said at the end.
  if (++entry.state.skipped_in_a_row == 1) say(entry, "skips a run that is due" + last);
}

void Schedules::say(const Entry& entry, const std::string& text) { listener_.notice(*entry.service, text); }

bool Schedules::will_start(const Service& service) const {
  const auto found = entries_.find(service.index());
  if (stopped_ || found == entries_.end() || service.record().stopped_by_command) return false;
  return !found->second.timetable.goes_by_the_day() || found->second.state.next;
}

bool Schedules::will_start_somebody() const {
  return std::ranges::any_of(entries_, [this](const auto& one) { return will_start(*one.second.service); });
}

std::optional<ScheduleView> Schedules::view(const Service& service) const {
  const auto found = entries_.find(service.index());
  if (found == entries_.end()) return std::nullopt;
  const auto& [of, timetable, state] = found->second;
  ScheduleView view{.text = text_of(timetable.spec),
                    .next = {},
                    .is_queued = state.is_queued,
                    .missed = state.missed,
                    .skipped = state.skipped};
  if (will_start(service)) view.next = due_at(timetable, state, now());
  return view;
}

const ScheduleState* Schedules::state_of(const Service& service) const {
  const auto found = entries_.find(service.index());
  return found == entries_.end() ? nullptr : &found->second.state;
}

}  // namespace belfry::daemon
