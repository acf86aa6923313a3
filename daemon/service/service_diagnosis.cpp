// Why a run has failed, beyond its exit code, and what it took.
//
// All of it is found out when the run is over, so that no start pays for it: what wait(2) and the kernel say
// of the process, what it has written last, and, where that was about a port, who has the port now.
#include <algorithm>
#include <csignal>
#include <utility>

#include "channels/context.hpp"
#include "daemon/service/last_words.hpp"
#include "daemon/service/run_outcome.hpp"
#include "daemon/service/service.hpp"
#include "probes/port_holder.hpp"
#include "system/core_dump.hpp"
#include "system/proc.hpp"
#include "system/process_identity.hpp"
#include "system/visibility.hpp"
#include "text/escape.hpp"

namespace belfry::daemon {

using probes::Port;
using probes::PortHolder;

namespace {

// How long a run that has ended may be held up by the search for whoever has its port.
constexpr Duration longest_search = std::chrono::milliseconds(500);

std::string port_text(const Port& port) {
  return (port.udp ? "UDP port " : "port ") + std::to_string(port.number);
}

// In order, each once.
void append(std::vector<Port>& ports, const Port& port) {
  if (std::ranges::find(ports, port) == ports.end()) ports.push_back(port);
}

// Whether belfry itself listens there for the service.
bool is_given(const config::Service& service, std::uint16_t port) {
  return service.extras &&
         std::ranges::any_of(service.extras->listen, [port](const config::ListenSocket& one) {
           return one.kind != config::ListenSocket::Kind::unix_stream && one.port == port;
         });
}

// Whose exit codes are no program's own, where nothing was written that says more.
std::string code_words(int code) {
  if (code == 127) return "127 says that a shell, env or the loader has not found what it needs";
  if (code == 126) return "126 says that a shell or env may not execute what it has found";
  return {};
}

// "which is service 'proxy'", from the marker of another run: "shop/proxy#3".
std::string service_of_marker(std::string_view marker, std::string_view own_stack) {
  const std::size_t slash = marker.find('/');
  const std::size_t number = marker.rfind('#');
  if (slash == std::string_view::npos || number == std::string_view::npos || number < slash) return {};
  const std::string_view stack = marker.substr(0, slash);
  std::string text = "which is service '" + text::visible(marker.substr(slash + 1, number - slash - 1)) + "'";
  if (stack != own_stack) text += " of the stack '" + text::visible(stack) + "'";
  return text;
}

}  // namespace

// `status`: of the main process. Who was asked to stop, or killed by belfry, has died of what it was sent.
void Service::take_facts_of_end(pid_t pid, system::ExitStatus& status) {
  Run& run = record_.run;
  const EndFacts facts = resources().facts_of_end(pid, status);
  run.usage.add(facts.usage);
  if (!status.signaled) return;
  run.oom_kills += facts.oom_kills;
  status.out_of_memory = status.value == SIGKILL && facts.oom_kills > 0;
  const bool sent =
      run.killed || run.killed_by_command || run.asked_to_stop_at || record_.intent != Intent::run;
  if (!sent || system::dumps_core(status.value)) run.finding = signal_words(status, facts);
}

// Nothing that was asked for, and nothing that belfry knows better: it has exited, and should not have.
bool Service::failed_by_itself() const {
  const Run& run = record_.run;
  if (!run.exit || run.failure || run.killed_by_command || record_.intent != Intent::run) return false;
  if (!exit_was_success(run, spec())) return true;
  return spec().type == config::ServiceType::daemon && !run.ready_at;
}

// When nothing of the run is left.
Task<void> Service::look_for_cause() {
  if (resources_ == nullptr) co_return;
  if (!std::exchange(all_heard_, true)) resources_->drain();
  const std::string tail = resources_->take_last_words();
  if (!failed_by_itself()) co_return;
  Run& run = record_.run;
  const LastWords words = read_last_words(tail);
  std::string found;
  if (run.exit->signaled) {
    if (run.exit->value == SIGABRT) found = text_of(words);
    if (!found.empty()) run.finding = run.finding.empty() ? found : found + "; " + run.finding;
    co_return;
  }
  if (words.complaint == Complaint::port_taken)
    found = co_await why_taken(words.ports);
  else if (words.complaint == Complaint::port_forbidden)
    found = why_forbidden(words.ports);
  else
    found = text_of(words);
  if (found.empty() && run.exit->success())
    found = "a daemon has to go on in the foreground (what is to end is a `type: oneshot`)";
  if (found.empty() && !run.ready_at) found = co_await who_has_declared_port();
  if (found.empty()) found = code_words(run.exit->value);
  run.finding = std::move(found);
}

// Of `pre_start`, before which nothing of the run has written.
Error Service::with_last_words(const Error& error) {
  resources().drain();
  const std::string words = text_of(read_last_words(resources().take_last_words()));
  return words.empty() ? error : Error::failed(error.text() + ": " + words);
}

// `named`: in what it has said. A program that names no port has tried one that its `ready` asks for.
Task<std::string> Service::why_taken(std::vector<std::uint16_t> named) {
  std::vector<Port> candidates;
  for (const std::uint16_t port : named) append(candidates, {.number = port});
  for (const Port& port : probes::declared_ports(spec().ready)) append(candidates, port);
  if (candidates.empty())
    co_return "an address that it wants to listen on is taken (it does not say which; `ss -lnp` shows who listens)";
  probes::PortHolders* holders = resources().port_holders();
  const auto is_held = [&](const Port& port) { return holders != nullptr && holders->is_held(port); };
  const auto held = std::ranges::find_if(candidates, is_held);
  const Port port = held == candidates.end() ? candidates.front() : *held;
  if (held == candidates.end())
    co_return port_text(port) + " was taken when it tried, and nobody listens there any more";
  Context patience(runtime_.loop);
  Context bounded(patience, runtime_.loop.now() + longest_search);
  const PortHolder holder = co_await holders->holder_of(bounded, port);
  note_holder(holder, port.number);
  co_return port_text(port) + " is taken by " + whose(holder, port.number);
}

// It said nothing of it, and still: what it was to listen on is another one's.
Task<std::string> Service::who_has_declared_port() {
  probes::PortHolders* holders = resources().port_holders();
  if (holders == nullptr) co_return std::string();
  for (const Port& port : probes::declared_ports(spec().ready)) {
    if (is_given(spec(), port.number) || !holders->is_held(port)) continue;
    Context patience(runtime_.loop);
    Context bounded(patience, runtime_.loop.now() + longest_search);
    const PortHolder holder = co_await holders->holder_of(bounded, port);
    note_holder(holder, port.number);
    co_return port_text(port) + ", which `ready` waits for, is taken by " + whose(holder, port.number);
  }
  co_return std::string();
}

// For whoever says what would help.
void Service::note_holder(const PortHolder& holder, std::uint16_t port) {
  record_.run.taken_port = port;
  record_.run.taken_by = holder.gave_up || holder.pid == system::own_pid() ? 0 : holder.pid;
}

std::string Service::whose(const PortHolder& holder, std::uint16_t port) const {
  const std::string user = "user " + system::name_of_user(holder.uid);
  if (holder.gave_up)
    return "a process of " + user + " (`ss -lnp` says which; belfry had no time to look for it)";
  if (holder.pid == 0) {
    const std::string why = system::why_processes_are_hidden();
    return "a process of " + user + " that cannot be seen" + (why.empty() ? "" : ": " + why);
  }
  const std::string process =
      "pid " + std::to_string(holder.pid) + " (" + text::visible(holder.name) + ", " + user + ")";
  for (const auto& one : runtime_.services) {
    const Service& other = *one;
    if (holder.pid == system::own_pid() && is_given(other.spec(), port)) {
      if (&other != this) return process + ", which listens there for service '" + other.spec().name + "'";
      return process +
             ", which listens there for it by `listen`: it is to take the descriptor that it is given "
             "(LISTEN_FDS)";
    }
    const pid_t leader = other.record().run.leader;
    const auto is_of_it = [&](pid_t pid) { return pid == leader || pid == other.main_pid(); };
    if (leader == 0 || !is_running(other.state())) continue;
    if (is_of_it(holder.pid) || system::proc::session_of(holder.pid) == leader ||
        system::proc::nearest_above(holder.pid, is_of_it) != 0)
      return process + ", which is service '" + other.spec().name + "'";
  }
  const auto marker = system::proc::variable_of(holder.pid, "BELFRY_SERVICE");
  const std::string service = marker ? service_of_marker(*marker, runtime_.stack_name) : std::string();
  return service.empty() ? process : process + ", " + service;
}

std::string Service::why_forbidden(const std::vector<std::uint16_t>& ports) const {
  std::uint16_t port = ports.empty() ? 0 : ports.front();
  if (port == 0) {
    const auto declared = probes::declared_ports(spec().ready);
    port = declared.empty() ? 0 : declared.front().number;
  }
  const int first = system::first_unprivileged_port();
  if (port == 0) return "it may not listen on its address";
  const std::string text = "it may not listen on port " + std::to_string(port);
  if (port >= first) return text + " (a security module or a seccomp filter forbids it)";
  return text + ": ports below " + std::to_string(first) +
         " need CAP_NET_BIND_SERVICE (or net.ipv4.ip_unprivileged_port_start=" + std::to_string(port) + ")";
}

// Once nothing of the run is left.
void Service::keep_account() {
  Run& run = record_.run;
  const auto of_cgroup = resources_ ? resources_->take_cgroup_usage() : std::nullopt;
  if (run.leader == 0 || !now_->started.rung()) return;  // it never came to its command
  PastRun past{.number = record_.runs,
               .started_at = run.started_at.time_since_epoch(),
               .wall = runtime_.loop.now() - run.started_at,
               .cpu_user = run.usage.user,
               .cpu_system = run.usage.system,
               .peak_memory = run.usage.peak_bytes,
               .peak_is_bound = run.usage.peak_bytes <= system::own_peak_bytes()};
  if (run.ready_at) past.ready_after = *run.ready_at - run.started_at;
  if (of_cgroup) {
    past.cpu_user = of_cgroup->usage.user;
    past.cpu_system = of_cgroup->usage.system;
    run.oom_kills += of_cgroup->oom_kills;
    if (of_cgroup->usage.peak_bytes > 0) {
      past.peak_memory = of_cgroup->usage.peak_bytes;
      past.peak_is_bound = false;
    }
  }
  past.oom_kills = run.oom_kills;
  if (run.exit) past.end = run.exit->text();
  counters_->oom_kills += past.oom_kills;
  counters_->cpu_seconds += std::chrono::duration<double>(past.cpu_user + past.cpu_system).count();
  if (past_runs_->size() == most_past_runs) past_runs_->erase(past_runs_->begin());
  past_runs_->push_back(std::move(past));
}

}  // namespace belfry::daemon
