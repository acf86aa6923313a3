#include "tests/support/fake_processes.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace belfry::testing {

namespace {

RunId run_of(std::string_view marker) {
  const std::size_t slash = marker.find('/');
  const std::size_t hash = marker.rfind('#');
  if (marker.empty()) return {};
  return {.service = std::string(marker.substr(slash + 1, hash - slash - 1)),
          .run = std::strtoull(std::string(marker.substr(hash + 1)).c_str(), nullptr, 10)};
}

std::pair<std::string, std::uint64_t> key_of(const RunId& id) { return {id.service, id.run}; }

}  // namespace

void FakeProcesses::note(const char* what, const RunId& id) {
  const bool hook = id.command != "./" + id.service && !id.command.empty();
  log_.push_back(std::string(what) + " " + id.service + "#" + std::to_string(id.run) +
                 (hook ? " " + id.command : ""));
}

FakeProcesses::Process* FakeProcesses::find(pid_t pid) {
  const auto it = processes_.find(pid);
  return it == processes_.end() ? nullptr : it->second.get();
}

std::size_t FakeProcesses::alive() const {
  std::size_t count = 0;
  for (const auto& [pid, process] : processes_) count += process->children + (process->running ? 1U : 0U);
  return count;
}

bool FakeProcesses::alive(std::string_view service) const {
  return std::ranges::any_of(
      processes_, [&](const auto& p) { return p.second->id.service == service && !p.second->gone(); });
}

std::expected<pid_t, system::SpawnError> FakeProcesses::spawn(system::Launch& launch,
                                                              system::ExitWatcher& watcher) {
  RunId id = run_of(launch.marker());
  id.command = launch.command();
  if (on_spawn) on_spawn(id);
  ProcessScript plan = script ? script(id) : ProcessScript{};
  if (plan.refuse) {
    note("refuse", id);
    return std::unexpected(*plan.refuse);
  }
  note("spawn", id);
  ++spawned_;
  auto process = std::make_unique<Process>(loop_);
  process->id = id;
  process->pid = ++last_pid_;
  process->children = plan.leaves_behind;
  process->exit_watcher = &watcher;
  process->script = std::move(plan);
  Process& made = *process;
  processes_.emplace(made.pid, std::move(process));
  runs_[key_of(made.id)].push_back(made.pid);
  if (made.script.exits_after) exit_at(made, loop_.now() + *made.script.exits_after, made.script.exits_with);
  return made.pid;
}

void FakeProcesses::end(std::string_view service, system::ExitStatus how) {
  for (auto& [pid, process] : processes_) {
    if (process->running && process->id.service == service) exit_at(*process, loop_.now(), how);
  }
}

void FakeProcesses::exit_at(Process& process, TimePoint when, system::ExitStatus how) {
  process.exit_timer.arm(when, [this, pid = process.pid, how] { exited(pid, how); });
}

void FakeProcesses::exited(pid_t pid, system::ExitStatus how) {
  Process& process = *find(pid);
  process.running = false;
  process.untold = how;
  note("exit", process.id);
  const Duration late = notices_late ? notices_late(process.id) : Duration::zero();
  if (process.children > 0 && process.script.children_exit_after)
    children_leave_at(process, loop_.now() + *process.script.children_exit_after);
  if (late <= Duration::zero()) return tell_exit(pid);
  process.exit_timer.arm(loop_.now() + late, [this, pid] { tell_exit(pid); });
}

void FakeProcesses::tell_exit(pid_t pid) {
  Process* process = find(pid);
  if (process == nullptr || !process->untold) return;
  process->exit_timer.cancel();
  const system::ExitStatus how = *std::exchange(process->untold, std::nullopt);
  if (auto* watcher = std::exchange(process->exit_watcher, nullptr)) watcher->on_exit(pid, how);
  look_whether_gone(key_of(process->id));
}

bool FakeProcesses::runs(std::string_view service) const {
  return std::ranges::any_of(processes_, [&](const auto& p) {
    return p.second->id.service == service && p.second->running &&
           p.second->id.command == "./" + std::string(service);
  });
}

void FakeProcesses::children_leave_at(Process& process, TimePoint when) {
  process.children_timer.arm(when, [this, pid = process.pid] {
    Process& left = *find(pid);
    left.children = 0;
    look_whether_gone(key_of(left.id));
  });
}

void FakeProcesses::lose_child(std::string_view service) {
  for (auto& [pid, process] : processes_) {
    if (process->id.service != service || process->children == 0) continue;
    --process->children;
    return look_whether_gone(key_of(process->id));
  }
}

// Everything that a run has started, hooks included, is one tree, as the marker in their environment says.
bool FakeProcesses::anybody_left(const RunKey& run) {
  return std::ranges::any_of(runs_[run], [this](pid_t pid) { return !find(pid)->gone(); });
}

// The watcher hears in a later turn, and the processes are forgotten when nobody can ask for them any more.
void FakeProcesses::look_whether_gone(const RunKey& run) {
  if (!watches_.contains(run) || anybody_left(run)) return;
  loop_.post([this, run] { tell_gone(run); });
}

void FakeProcesses::tell_gone(const RunKey& run) {
  const auto it = watches_.find(run);
  if (it == watches_.end() || anybody_left(run)) return;
  const Watch watch = it->second;
  watches_.erase(it);
  note("gone", {.service = run.first, .run = run.second});
  for (const pid_t pid : runs_[run]) processes_.erase(pid);
  runs_.erase(run);
  watch.watcher->on_tree_empty(watch.leader);
}

void FakeProcesses::disown(pid_t pid) {
  if (Process* process = find(pid)) process->exit_watcher = nullptr;
}

bool FakeProcesses::has_ended(pid_t pid) {
  Process* process = find(pid);
  if (process == nullptr || process->running) return false;  // of strangers nothing is known
  if (process->untold && tells_when_asked) loop_.post([this, pid] { tell_exit(pid); });
  return true;
}

bool FakeProcesses::signal(const system::TreeId& tree, int signo, system::Scope scope) {
  std::vector<pid_t> whom;
  if (scope == system::Scope::tree) whom = runs_[key_of(run_of(tree.marker))];
  if (std::ranges::find(whom, tree.leader) == whom.end()) whom.push_back(tree.leader);
  bool anybody = false;
  for (const pid_t pid : whom) {
    if (Process* process = find(pid)) anybody = signal_one(*process, signo, scope) || anybody;
  }
  return anybody;
}

bool FakeProcesses::signal_one(Process& process, int signo, system::Scope scope) {
  if (process.gone() || process.script.may_not_be_signalled) return false;
  const bool whole = scope != system::Scope::leader;
  if (!whole && !process.running) return false;
  if (on_signal) on_signal(process.id, signo, scope);
  note(system::signal_name(signo).c_str(), process.id);
  const TimePoint now = loop_.now();
  if (process.running) {
    const auto& plan = process.script;
    if (signo == SIGKILL && !std::exchange(process.doomed, plan.unkillable_for.has_value()))
      exit_at(process, now + plan.unkillable_for.value_or(Duration::zero()),
              {.signaled = true, .value = SIGKILL});
    else if (signo != SIGKILL && plan.stops_after && !plan.unkillable_for)
      exit_at(process, now + *plan.stops_after,
              {.signaled = !plan.stops_cleanly, .value = plan.stops_cleanly ? 0 : signo});
  }
  if (whole && process.children > 0) {
    if (signo == SIGKILL)
      children_leave_at(process, now);
    else if (process.script.children_stop_after)
      children_leave_at(process, now + *process.script.children_stop_after);
  }
  return true;
}

// A hook that runs is a child of belfry's own, and none of the tree's.
bool FakeProcesses::tree_alive(const system::TreeId& tree) {
  return std::ranges::any_of(runs_[key_of(run_of(tree.marker))], [&](pid_t pid) {
    const Process& process = *find(pid);
    return process.children > 0 || (pid == tree.leader && process.running);
  });
}

void FakeProcesses::watch_tree(const system::TreeId& tree, system::TreeWatcher& watcher) {
  const RunKey run = key_of(run_of(tree.marker));
  watches_[run] = {.leader = tree.leader, .watcher = &watcher};
  look_whether_gone(run);
}

void FakeProcesses::unwatch_tree(system::TreeWatcher& watcher) {
  std::erase_if(watches_, [&](const auto& watch) { return watch.second.watcher == &watcher; });
}

std::vector<system::Survivor> FakeProcesses::survivors(const system::TreeId& tree) {
  std::vector<system::Survivor> left;
  for (const pid_t pid : runs_[key_of(run_of(tree.marker))]) {
    const Process& process = *find(pid);
    const char state = process.script.unkillable_for ? 'D' : 'S';
    const int refused = process.script.may_not_be_signalled ? EPERM : 0;
    if (process.running)
      left.push_back({.pid = pid, .state = state, .name = process.id.service, .refused = refused});
    for (std::uint32_t i = 0; i < process.children && !process.script.children_are_unknown; ++i)
      left.push_back({.pid = pid, .state = 'S', .name = "child", .refused = refused});
  }
  return left;
}

}  // namespace belfry::testing
