#include "daemon/run/history.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace belfry::daemon {

namespace {

// Of those that are too many, the ones that took longest.
void add_services(HistoryEntry& entry, std::vector<HistoryService> services) {
  entry.services_in_all = services.size();
  if (services.size() > most_services_in_history) {
    std::ranges::nth_element(services, services.begin() + most_services_in_history, std::ranges::greater(),
                             [](const HistoryService& one) { return one.took.value_or(Duration::max()); });
    services.resize(most_services_in_history);
  }
  entry.services = std::move(services);
}

HistoryEntry begun_at(TimePoint at, TimePoint now) {
  HistoryEntry entry;
  entry.at = Journal::now_by_the_wall() - (now - at);
  entry.took = now - at;
  return entry;
}

}  // namespace

HistoryEntry history_of_start(const Supervisor& supervisor, bool succeeded, std::string reason) {
  const Timeline& times = supervisor.times_of_start();
  const TimePoint now = times.up().value_or(supervisor.now());
  HistoryEntry entry = begun_at(times.begun().value_or(now), now);
  entry.kind = HistoryEntry::Kind::start;
  entry.succeeded = succeeded;
  entry.reason = std::move(reason);
  std::vector<HistoryService> services;
  for (const auto& service : supervisor.services()) {
    const Milestones& its = times.of(service->index());
    if (!its.wanted || service->is_retired()) continue;
    HistoryService& one = services.emplace_back();
    one.name = service->name();
    one.attempts = its.attempts;
    one.result = name_of(service->state());
    if (its.starting) one.waited = *its.starting - *its.wanted;
    const Milestone came_up = its.ready ? its.ready : its.stopped;
    if (its.starting && came_up) one.took = *came_up - *its.starting;
  }
  add_services(entry, std::move(services));
  return entry;
}

HistoryEntry history_of_stop(const Supervisor& supervisor, TimePoint asked_at, int exit_code,
                             std::string reason) {
  HistoryEntry entry = begun_at(asked_at, supervisor.now());
  entry.kind = HistoryEntry::Kind::stop;
  entry.exit_code = exit_code;
  entry.reason = std::move(reason);
  std::vector<HistoryService> services;
  for (const auto& service : supervisor.services()) {
    const Record& record = service->record();
    const Run& run = record.run;
    if (!run.asked_to_stop_at || *run.asked_to_stop_at < asked_at) continue;
    HistoryService& one = services.emplace_back();
    one.name = service->name();
    one.result = run.killed ? "killed" : name_of(record.state);
    one.took = record.since - *run.asked_to_stop_at;
    entry.succeeded = entry.succeeded && !run.killed;
  }
  add_services(entry, std::move(services));
  return entry;
}

HistoryWriter::HistoryWriter(Loop& loop, std::string path, std::function<void(const std::string&)> say,
                             std::function<void()> count)
    : path_(std::move(path)),
      say_(std::move(say)),
      count_(std::move(count)),
      mailbox_(loop),
      appender_(path_, most_bytes, [this](system::AppendOutcome outcome) {
        mailbox_.post([this, outcome] { written(outcome); });
      }) {}

void HistoryWriter::write(const HistoryEntry& entry) {
  if (!appender_.append(history_line(entry))) failed("there can be no thread for it");
}

void HistoryWriter::finish(Duration patience) {
  if (!appender_.finish(patience)) failed("it is locked by somebody else");
}

void HistoryWriter::written(const system::AppendOutcome& outcome) {
  if (outcome.mended && !std::exchange(has_told_of_mending_, true))
    say_("the last line of " + path_ +
         " has no end, and counts for nothing: belfry was killed while it wrote");
  if (outcome.errnum != 0) failed(std::generic_category().message(outcome.errnum));
}

void HistoryWriter::failed(const std::string& why) {
  count_();
  if (!std::exchange(has_complained_, true))
    say_("cannot write the history in " + path_ + ": " + why + " (the services go on)");
}

}  // namespace belfry::daemon
