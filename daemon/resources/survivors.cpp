#include "daemon/resources/survivors.hpp"

#include <algorithm>
#include <csignal>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "config/graph/graph.hpp"
#include "system/proc.hpp"
#include "system/process_handle.hpp"
#include "system/process_identity.hpp"
#include "system/syscalls.hpp"

namespace belfry::daemon {

namespace {

namespace proc = system::proc;

constexpr Duration sigkill_takes = std::chrono::seconds(2);
// How many are watched at once; when one of them goes, everybody is looked at again.
constexpr std::size_t most_watched = 256;

TimePoint now() { return Clock::now(); }

// "shop/db#3" → "db"
std::string service_of(std::string_view marker) {
  const auto slash = marker.find('/');
  const auto hash = marker.rfind('#');
  if (slash == std::string_view::npos || hash == std::string_view::npos || hash < slash) return "a process";
  return std::string(marker.substr(slash + 1, hash - slash - 1));
}

std::unordered_set<pid_t> self_and_above() {
  std::unordered_set<pid_t> found;
  constexpr int any_depth = 1 << 20;
  found.insert(system::own_pid());
  // A process that is met for the second time: the chain has closed into a ring while it was read.
  const auto was_met = [&found](pid_t above) { return !found.insert(above).second; };
  proc::nearest_above(system::own_pid(), was_met, any_depth);
  return found;
}

// The recorded leaders that are still the same processes: the number of a leader that has ended may be
// another session's by now.
std::unordered_map<pid_t, std::string> confirmed(const std::vector<KeptProcess>& recorded) {
  std::unordered_map<pid_t, std::string> leaders;
  for (const KeptProcess& one : recorded) {
    if (system::is_still(one.process)) leaders[one.process.pid] = one.service;
  }
  return leaders;
}

bool is_living(pid_t pid) {
  const auto process = proc::describe(pid);
  return process && process->state != 'Z' && process->state != 'X';
}

// Until one of them has ended, or the time is over.
void wait_for_an_end(const std::vector<KeptSurvivor>& whom, TimePoint until) {
  std::vector<system::ProcessHandle> watched;
  for (const KeptSurvivor& one : whom) {
    if (watched.size() == most_watched) break;
    // No handle can be had of a process that has ended meanwhile: then there is nothing to wait for.
    if (auto process = system::ProcessHandle::open(one.pid)) watched.push_back(std::move(*process));
  }
  system::wait_until_one_has_ended(watched, saturating_subtract(until, now()));
}

std::string names_of(const std::vector<KeptSurvivor>& whom) {
  std::map<std::string, pid_t> first;
  for (const KeptSurvivor& one : whom) first.emplace(one.service, one.pid);
  std::string text;
  std::size_t named = 0;
  for (const auto& [service, pid] : first) {
    if (++named > 8) break;
    text += (text.empty() ? "" : ", ") + service + " (" + std::to_string(pid) + ")";
  }
  return named > 8 ? text + " and " + std::to_string(first.size() - 8) + " more" : text;
}

// One call of end_survivors(); the stop budget bounds it.
class SurvivorsStop {
 public:
  SurvivorsStop(const config::Stack& stack, std::string_view stack_id,
                const std::vector<KeptProcess>& recorded)
      : stack_id_(stack_id), recorded_(recorded), end_by_(saturating_add(now(), stack.shutdown.timeout)) {
    const auto ranks = config::ranks(stack);
    for (std::size_t i = 0; i < stack.services.size(); ++i)
      known_[stack.services[i].name] = {ranks[i], &stack.services[i].stop};
  }

  Result<std::string> run() {
    std::vector<KeptSurvivor> left = find_survivors(stack_id_, recorded_);
    std::string who = names_of(left);
    while (!left.empty() && !given_up_) {
      end(highest(left));
      left = find_survivors(stack_id_, recorded_);
    }
    if (left.empty()) return who;
    return std::unexpected(Error::failed(
        "cannot start beside what an earlier run left behind, and cannot end it: " + names_of(left) +
        "; see what it waits for in /proc/" + std::to_string(left.front().pid) + "/stack"));
  }

 private:
  struct Known {
    std::uint32_t rank = std::numeric_limits<std::uint32_t>::max();  // no longer in the file: goes first
    const config::Stop* stop = nullptr;
  };

  [[nodiscard]] Known known(const std::string& service) const {
    const auto found = known_.find(service);
    return found == known_.end() ? Known{} : found->second;
  }
  [[nodiscard]] std::uint32_t highest(const std::vector<KeptSurvivor>& all) const {
    std::uint32_t rank = 0;
    for (const KeptSurvivor& one : all) rank = std::max(rank, known(one.service).rank);
    return rank;
  }
  [[nodiscard]] std::vector<KeptSurvivor> of_rank(std::uint32_t rank) const {
    auto found = find_survivors(stack_id_, recorded_);
    std::erase_if(found, [&](const KeptSurvivor& one) { return known(one.service).rank != rank; });
    return found;
  }

  // Ends the services of one rank, and returns when none of their processes is left.
  void end(std::uint32_t rank) {
    const TimePoint began = now();
    std::optional<TimePoint> killed_at;
    for (auto left = of_rank(rank); !left.empty(); left = of_rank(rank)) {
      TimePoint deadline = began;
      for (const KeptSurvivor& one : left) {
        const config::Stop* stop = known(one.service).stop;
        deadline = std::max(deadline, saturating_add(began, stop ? stop->timeout : config::Stop{}.timeout));
      }
      deadline = std::min(deadline, end_by_);
      if (deadline <= now()) {
        if (killed_at && saturating_add(*killed_at, sigkill_takes) <= now()) {
          given_up_ = true;
          return;
        }
        if (!killed_at) killed_at = now();
        for (const KeptSurvivor& one : left) system::Syscalls::real().kill(one.pid, SIGKILL);
        deadline = saturating_add(*killed_at, sigkill_takes);
      } else {
        ask(left);
      }
      wait_for_an_end(left, deadline);
    }
  }

  // The first process of each tree is asked; what it leaves behind is asked when it has gone.
  void ask(const std::vector<KeptSurvivor>& left) {
    std::unordered_set<pid_t> pids;
    for (const KeptSurvivor& one : left) pids.insert(one.pid);
    for (const KeptSurvivor& one : left) {
      if (pids.contains(one.parent) || !asked_.insert(one.pid).second) continue;
      const config::Stop* stop = known(one.service).stop;
      system::ask_to_end(system::Syscalls::real(), one.pid, stop ? stop->signal : SIGTERM);
    }
  }

  std::string_view stack_id_;
  const std::vector<KeptProcess>& recorded_;
  TimePoint end_by_;
  std::unordered_map<std::string, Known> known_;
  std::set<pid_t> asked_;
  bool given_up_ = false;
};

}  // namespace

std::vector<KeptSurvivor> find_survivors(std::string_view stack_id,
                                         const std::vector<KeptProcess>& recorded) {
  const auto spared = self_and_above();
  const auto leaders = confirmed(recorded);
  std::map<pid_t, std::string> found;
  for (const pid_t pid : proc::all()) {
    if (spared.contains(pid)) continue;
    if (const auto leader = leaders.find(proc::session_of(pid).value_or(0)); leader != leaders.end()) {
      found.emplace(pid, leader->second);
    } else if (proc::variable_of(pid, stack_variable) == stack_id) {
      found.emplace(pid, service_of(proc::variable_of(pid, "BELFRY_SERVICE").value_or("")));
    }
  }
  const std::map<pid_t, std::string> roots = found;
  for (const auto& [root, service] : roots) {
    for (const pid_t pid : proc::descendants_of({root}))
      if (!spared.contains(pid)) found.emplace(pid, service);
  }
  std::vector<KeptSurvivor> all;
  for (auto& [pid, service] : found) {
    if (is_living(pid)) all.push_back({pid, proc::parent_of(pid).value_or(0), std::move(service)});
  }
  return all;
}

Result<std::string> end_survivors(const config::Stack& stack, std::string_view stack_id,
                                  const std::vector<KeptProcess>& recorded) {
  return SurvivorsStop(stack, stack_id, recorded).run();
}

}  // namespace belfry::daemon
