#include "cli/stop_course.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::cli {

namespace {

using analyze::Step;
using report::Event;

bool is_rest(std::string_view state) {
  return state == "inactive" || state == "completed" || state == "failed" || state == "blocked";
}

using Places = std::map<std::string_view, std::size_t>;

// Who has to stop before whom: the order goes through gates, externals, and whoever did not run.
class Dependents {
 public:
  explicit Dependents(const report::Run& run) {
    for (const report::Service& service : run.services) {
      if (service.type == "gate" || service.type == "external") transparent_.insert(service.name);
      for (const report::Edge& edge : service.edges) direct_[edge.on].push_back(service.name);
    }
  }

  [[nodiscard]] std::vector<std::string_view> to_be_gone_before(std::string_view name,
                                                                const Places& running) const {
    std::vector<std::string_view> found, todo{name};
    std::set<std::string_view> seen{name};
    while (!todo.empty()) {
      const auto above = direct_.find(todo.back());
      todo.pop_back();
      if (above == direct_.end()) continue;
      for (const std::string_view one : above->second) {
        if (!seen.insert(one).second) continue;
        const bool goes_on = transparent_.contains(one) || !running.contains(one);
        (goes_on ? todo : found).push_back(one);
      }
    }
    return found;
  }

 private:
  std::map<std::string_view, std::vector<std::string_view>> direct_;
  std::set<std::string_view> transparent_;
};

}  // namespace

std::optional<report::Picture> stop_of(const report::Run& run) {
  const auto asked = std::ranges::find_if(
      run.events, [](const Event& one) { return one.kind == "stack" && one.what == "stopping"; });
  if (asked == run.events.end()) return std::nullopt;
  report::Picture picture{
      .course = {}, .title = run.stack + ": stop of " + asked->time, .end = "all stopped", .remarks = {}};
  std::vector<Step>& steps = picture.course.steps;
  Places running, gone;  // places in `steps`
  for (auto event = asked; event != run.events.end(); ++event) {
    if (event->kind != "state") continue;
    const auto known = running.find(event->service);
    const Duration at = event->at - asked->at;
    if (event->what == "stopping" && known == running.end()) {
      running[event->service] = steps.size();
      steps.push_back({.name = event->service, .wanted = {}, .begin = at, .end = at, .waits = {}});
    } else if (known != running.end() && is_rest(event->what) && !gone.contains(event->service)) {
      gone[event->service] = known->second;
      steps[known->second].end = at;
    }
  }
  const Dependents dependents(run);
  for (const auto& [name, place] : running) {
    for (const std::string_view above : dependents.to_be_gone_before(name, running)) {
      const auto dependent = gone.find(above);
      if (dependent == gone.end()) continue;
      steps[place].waits.push_back(
          {.on = dependent->second, .condition = "stopped", .held = steps[dependent->second].end});
    }
  }
  std::string left;
  for (const auto& [name, place] : running) {
    if (!gone.contains(name)) (left += left.empty() ? "" : ", ") += name;
  }
  if (!left.empty()) picture.remarks.push_back("not stopped when this was written down: " + left);
  return picture;
}

}  // namespace belfry::cli
