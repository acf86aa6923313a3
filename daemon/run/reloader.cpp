#include "daemon/run/reloader.hpp"

#include <algorithm>
#include <utility>

#include "channels/run_blocking.hpp"
#include "channels/spawn.hpp"
#include "config/model/exit_codes.hpp"
#include "text/escape.hpp"

namespace belfry::daemon {

namespace {

constexpr const char* untouched = " (what runs is untouched)";

// A stack cannot be copied, because its services are many; without them it is small.
config::Stack settings_of(const config::Stack& stack) {
  config::Stack settings;
  settings.name = stack.name;
  settings.files = stack.files;
  settings.http = stack.http;
  settings.control = stack.control;
  settings.shutdown = stack.shutdown;
  settings.probe_limit = stack.probe_limit;
  settings.parallel_starts = stack.parallel_starts;
  settings.on_daemon_death = stack.on_daemon_death;
  settings.cgroups = stack.cgroups;
  settings.cluster = stack.cluster;
  settings.ports = stack.ports;
  return settings;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

std::vector<ReloadedKey> keys_of(const std::vector<config::KeyChange>& changes) {
  std::vector<ReloadedKey> keys;
  for (const config::KeyChange& one : changes)
    keys.push_back({.key = one.key, .before = one.before, .after = one.after, .effect = name_of(one.effect)});
  return keys;
}

void describe(const NewStack& next, const std::vector<const config::Service*>& before, ReloadResult& result) {
  result.stack = keys_of(next.difference.stack);
  for (const std::uint32_t place : next.difference.added)
    result.services.push_back({.name = next.stack.services[place].name, .change = "added", .keys = {}});
  for (const std::uint32_t place : next.difference.removed)
    result.services.push_back({.name = before[place]->name, .change = "removed", .keys = {}});
  for (const config::ServiceChange& change : next.difference.changed)
    result.services.push_back({.name = change.name, .change = "changed", .keys = keys_of(change.keys)});
}

std::string summary_of(const ReloadResult& result) {
  std::string text;
  const auto add = [&text](std::string_view what, const std::vector<std::string>& names) {
    if (!names.empty()) text.append(text.empty() ? "" : "; ").append(what).append(" ").append(joined(names));
  };
  for (const std::string_view change : {"added", "removed", "changed"}) {
    std::vector<std::string> names;
    for (const ReloadedService& one : result.services)
      if (one.change == change) names.push_back(one.name);
    add(change, names);
  }
  std::vector<std::string> keys;
  for (const ReloadedKey& one : result.stack) keys.push_back(one.key);
  add("changed", keys);
  add(result.dry_run ? "would stop" : "stopped", result.stops);
  add(result.dry_run ? "would start" : "started", result.starts);
  add(result.dry_run ? "would replace in turn" : "replaced in turn", result.rolls);
  return text;
}

void refuse(ReloadResult& result, CommandOutcome outcome, std::string message) {
  result.outcome = outcome;
  result.message = std::move(message);
}

CommandOutcome outcome_of(const Error& why) {
  return why.kind() == Error::Kind::closed ? CommandOutcome::shutting_down : CommandOutcome::not_in_time;
}

}  // namespace

// What goes on without whoever asked for it.
struct Reloader::Job {
  Job(Loop& loop, NewStack stack, std::vector<SourceFile> sources, Permit turn, std::string by)
      : next(std::move(stack)),
        files(std::move(sources)),
        permit(std::move(turn)),
        asked_by(std::move(by)),
        done(loop, "reload") {}
  NewStack next;
  std::vector<SourceFile> files;
  Permit permit;
  std::string asked_by;
  ReloadResult result;  // when it is done
  Bell<> done;
};

Reloader::Reloader(Context& parent, Supervisor& supervisor, NativeResources& resources, StackFiles files,
                   const config::Stack& stack, bool is_private)
    : context_(parent),
      supervisor_(supervisor),
      resources_(resources),
      files_(std::move(files)),
      settings_(settings_of(stack)),
      is_private_(is_private),
      one_at_a_time_(parent.loop(), "reload"),
      tasks_(parent.loop(), "reloads", WaitGroup::Thrown::told_at_once) {}

Task<void> Reloader::close() {
  context_.cancel(Error::closed("the stack is shutting down"));
  Context patience(context_.loop());
  (void)co_await tasks_.wait(patience);
}

void Reloader::reload_in_background() { spawn(tasks_, "reload", answer_in_background()); }

Task<void> Reloader::answer_in_background() {
  const ReloadResult result =
      co_await reload(context_, {.asked_by = "SIGHUP", .dry_run = false, .until_up = false});
  answered(result);
}

// Why this must not be taken over; empty: it may be.
std::string Reloader::why_not(const NewStack& next) const {
  const std::vector<std::string> refusals = next.difference.refusals();
  if (!refusals.empty())
    return "cannot reload: " + joined(refusals) +
           ": that takes a restart of belfry itself (belfry down && belfry up)" + untouched;
  for (const std::string& name : files_.services) {
    if (std::ranges::find(next.stack.services, name, &config::Service::name) == next.stack.services.end())
      return "cannot reload: " + text::visible(name) +
             ", which belfry was started with, is not in the file any more" + untouched;
  }
  return {};
}

Task<Result<NewStack>> Reloader::read(Context& ctx, std::vector<SourceFile>& files, ReloadResult& result) {
  const auto work = [which = files_, ports = settings_.ports] { return read_stack(which, ports, false); };
  Result<ReadStack> read = co_await run_blocking(ctx, work);
  if (!read) {
    refuse(result, outcome_of(read.error()), "cannot reload: " + read.error().text() + untouched);
    co_return std::unexpected(read.error());
  }
  const Error refused(Error::Kind::refused, "the file");
  if (read->code == exit_code::no_input) {
    refuse(result, CommandOutcome::refused, "cannot reload: " + read->problem + untouched);
    co_return std::unexpected(refused);
  }
  if (read->code != 0) {
    refuse(result, CommandOutcome::refused,
           "cannot reload: the file has mistakes" + std::string(untouched) + "\n" + read->problem);
    co_return std::unexpected(refused);
  }
  if (have_changed(read->files)) {
    refuse(result, CommandOutcome::refused,
           "cannot reload: the file has changed again while it was read: reload once more" +
               std::string(untouched));
    co_return std::unexpected(refused);
  }
  NewStack next{.stack = std::move(read->stack), .difference = {}, .warnings = {}};
  // Of `exec` nobody would ever find who was kept.
  if (is_private_) next.stack.on_daemon_death = config::OnDaemonDeath::kill;
  if (!read->remarks.empty()) next.warnings.push_back(std::move(read->remarks));
  files = std::move(read->files);
  co_return next;
}

Task<ReloadResult> Reloader::reload(Context& ctx, ReloadRequest request) {
  ReloadResult result;
  result.dry_run = request.dry_run;
  Result<Permit> turn = co_await one_at_a_time_.lock(ctx);
  if (!turn) {
    refuse(result, outcome_of(turn.error()), "cannot reload: " + turn.error().text() + untouched);
    co_return result;
  }
  std::vector<SourceFile> files;
  Result<NewStack> next = co_await read(ctx, files, result);
  if (!next) co_return result;
  if (supervisor_.shutting_down() || context_.cancelled()) {
    refuse(result, CommandOutcome::shutting_down, "cannot reload: the stack is shutting down");
    co_return result;
  }
  const std::vector<const config::Service*> before = supervisor_.specs();
  next->difference = config::difference(settings_, before, next->stack);
  describe(*next, before, result);
  if (std::string why = why_not(*next); !why.empty()) {
    refuse(result, CommandOutcome::refused, std::move(why));
    co_return result;
  }
  if (next->difference.empty()) {
    if (!request.dry_run) supervisor_.set_sources(std::move(files));
    result.message = "nothing has changed";
    co_return result;
  }
  // Tried in a dry run as well, which must not promise what is refused then.
  if (auto admitted = supervisor_.admit(*next); !admitted) {
    (void)resources_.take_remarks();
    refuse(result, CommandOutcome::refused, "cannot reload: " + admitted.error().text() + untouched);
    co_return result;
  }
  if (request.dry_run) {
    resources_.forget_admitted();
    (void)resources_.take_remarks();
    Touched touched = supervisor_.whom_it_touches(*next);
    result.stops = std::move(touched.stops);
    result.starts = std::move(touched.starts);
    result.rolls = std::move(touched.rolls);
    result.message = summary_of(result);
    co_return result;
  }
  auto job = std::make_shared<Job>(ctx.loop(), std::move(*next), std::move(files), std::move(*turn),
                                   std::move(request.asked_by));
  spawn(tasks_, "reload", exchange(job, std::move(result)));
  const Outcome done = co_await job->done.wait(ctx);
  result = {};
  if (done.cancelled()) {
    refuse(result, outcome_of(done.cause), "cannot wait any longer for the reload: it goes on without you");
    co_return result;
  }
  result = std::move(job->result);
  if (!request.until_up || result.outcome != CommandOutcome::done) co_return result;
  const Result<std::string> missing = co_await supervisor_.until_all_up(ctx, result.starts);
  if (!missing)
    refuse(result, outcome_of(missing.error()),
           "cannot wait any longer: it has been reloaded, and is not ready yet");
  else if (!missing->empty())
    refuse(result, CommandOutcome::never,
           "cannot start all after the reload (" + result.message + "): " + *missing);
  co_return result;
}

Task<void> Reloader::exchange(std::shared_ptr<Job> job, ReloadResult result) {
  on_begin(job->asked_by);
  for (const std::string& warning : job->next.warnings) on_remark(warning);
  for (const std::string& remark : resources_.take_remarks()) on_remark(remark);
  config::Stack settings = settings_of(job->next.stack);
  Result<Touched> touched = co_await supervisor_.exchange(context_, std::move(job->next));
  if (touched) {
    settings_ = std::move(settings);
    supervisor_.set_sources(std::move(job->files));
    result.stops = std::move(touched->stops);
    result.starts = std::move(touched->starts);
    result.rolls = std::move(touched->rolls);
    result.message = summary_of(result);
    if (!touched->trouble.empty())
      refuse(result, CommandOutcome::never, "cannot replace all replicas: " + touched->trouble);
  } else {
    const bool goes_down = supervisor_.shutting_down() || context_.cancelled();
    refuse(result, goes_down ? CommandOutcome::shutting_down : CommandOutcome::not_in_time,
           "cannot finish the reload: " + touched.error().text() + ": the stack is as it was" +
               (goes_down ? ", and goes down" : ""));
  }
  on_end(result);
  job->result = std::move(result);
  job->permit.release();
  job->done.ring();
}

}  // namespace belfry::daemon
