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
  return {.service = std::string(marker.substr(slash + 1, hash - slash - 1)),
          .run = std::strtoull(std::string(marker.substr(hash + 1)).c_str(), nullptr, 10)};
}

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
  note("exit", process.id);
  if (auto* watcher = std::exchange(process.exit_watcher, nullptr)) watcher->on_exit(pid, how);
  look_whether_gone(process);
}

void FakeProcesses::children_leave_at(Process& process, TimePoint when) {
  process.children_timer.arm(when, [this, pid = process.pid] {
    Process& left = *find(pid);
    left.children = 0;
    look_whether_gone(left);
  });
}

// The watcher hears in a later turn, and the process is forgotten when nobody can ask for it any more.
void FakeProcesses::look_whether_gone(Process& process) {
  if (!process.gone() || process.tree_watcher == nullptr) return;
  loop_.post([this, pid = process.pid] {
    Process* gone = find(pid);
    if (gone == nullptr) return;
    auto* watcher = std::exchange(gone->tree_watcher, nullptr);
    if (watcher == nullptr) return;
    note("gone", gone->id);
    processes_.erase(pid);
    watcher->on_tree_empty(pid);
  });
}

void FakeProcesses::disown(pid_t pid) {
  if (Process* process = find(pid)) process->exit_watcher = nullptr;
}

bool FakeProcesses::signal(const system::TreeId& tree, int signo, system::Scope scope) {
  Process* process = find(tree.leader);
  if (process == nullptr || process->gone()) return false;
  const bool whole = scope != system::Scope::leader;
  if (!whole && !process->running) return false;
  if (on_signal) on_signal(process->id, signo, scope);
  note(system::signal_name(signo).c_str(), process->id);
  const TimePoint now = loop_.now();
  if (process->running) {
    const auto& plan = process->script;
    if (signo == SIGKILL)
      exit_at(*process, now, {.signaled = true, .value = SIGKILL});
    else if (plan.stops_after)
      exit_at(*process, now + *plan.stops_after,
              {.signaled = !plan.stops_cleanly, .value = plan.stops_cleanly ? 0 : signo});
  }
  if (whole && process->children > 0) {
    if (signo == SIGKILL)
      children_leave_at(*process, now);
    else if (process->script.children_stop_after)
      children_leave_at(*process, now + *process->script.children_stop_after);
  }
  return true;
}

bool FakeProcesses::tree_alive(const system::TreeId& tree) {
  const Process* process = find(tree.leader);
  return process != nullptr && !process->gone();
}

void FakeProcesses::watch_tree(const system::TreeId& tree, system::TreeWatcher& watcher) {
  Process* process = find(tree.leader);
  if (process == nullptr) {  // it is gone and was watched before: still nobody is left
    again_.insert(&watcher);
    loop_.post([this, leader = tree.leader, told = &watcher] {
      if (again_.erase(told) != 0) told->on_tree_empty(leader);
    });
    return;
  }
  process->tree_watcher = &watcher;
  look_whether_gone(*process);
}

void FakeProcesses::unwatch_tree(system::TreeWatcher& watcher) {
  again_.erase(&watcher);
  for (auto& [pid, process] : processes_) {
    if (process->tree_watcher == &watcher) process->tree_watcher = nullptr;
  }
}

std::vector<system::Survivor> FakeProcesses::survivors(const system::TreeId& tree) {
  std::vector<system::Survivor> left;
  const Process* process = find(tree.leader);
  if (process == nullptr) return left;
  if (process->running) left.push_back({.pid = process->pid, .state = 'S', .name = process->id.service});
  for (std::uint32_t i = 0; i < process->children; ++i)
    left.push_back({.pid = process->pid, .state = 'S', .name = "child"});
  return left;
}

}  // namespace belfry::testing
