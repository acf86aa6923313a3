#include "cli/stop_course.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

namespace belfry::cli {

namespace {

using analyze::Step;
using report::Event;

bool is_rest(std::string_view state) {
  return state == "inactive" || state == "completed" || state == "failed" || state == "blocked";
}

}  // namespace

std::optional<report::Picture> stop_of(const report::Run& run) {
  const auto asked = std::ranges::find_if(
      run.events, [](const Event& one) { return one.kind == "stack" && one.what == "stopping"; });
  if (asked == run.events.end()) return std::nullopt;
  report::Picture picture{
      .course = {}, .title = run.stack + ": stop of " + asked->time, .end = "all stopped", .remarks = {}};
  std::vector<Step>& steps = picture.course.steps;
  std::map<std::string_view, std::size_t> running, gone;  // places in `steps`
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
  for (const report::Service& above : run.services) {
    const auto dependent = gone.find(above.name);
    if (dependent == gone.end()) continue;
    for (const report::Edge& edge : above.edges) {
      const auto on = running.find(edge.on);
      if (on == running.end()) continue;
      steps[on->second].waits.push_back(
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
