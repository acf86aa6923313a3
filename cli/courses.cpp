#include "cli/courses.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "config/model/enum_names.hpp"

namespace belfry::cli {

namespace {

using analyze::Course;
using analyze::Step;
using analyze::Wait;
using client::TimelineService;

using Numbers = std::map<std::string, std::size_t, std::less<>>;

std::string named(const std::vector<std::string>& names) {
  constexpr std::size_t most = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > most ? text + " and " + std::to_string(names.size() - most) + " more" : text;
}

void remark(NamedCourse& course, const std::vector<std::string>& names, const std::string& what) {
  if (!names.empty()) course.remarks.push_back(what + ": " + named(names));
}

bool is_transparent(const config::Service& service) {
  return service.type == config::ServiceType::gate || service.type == config::ServiceType::external;
}

// Every service counts from the moment at which it was wanted itself, and those lie apart when the machine is
// busy. None has begun before what it requires, so it is moved behind that; a chain settles link by link.
void bring_into_line(Course& course) {
  bool has_moved = true;
  for (std::size_t round = 0; has_moved && round <= course.steps.size(); ++round) {
    has_moved = false;
    for (Step& step : course.steps) {
      for (Wait& wait : step.waits) {
        const Step& on = course.steps[wait.on];
        wait.held = wait.condition == config::name_of(config::Condition::started) ? on.begin : on.end;
        if (wait.held <= step.begin) continue;
        step.end += wait.held - step.begin;
        step.begin = wait.held;
        has_moved = true;
      }
    }
  }
}

// Whether a start tells when the edge came to hold: of own bells and of what need not hold it does not.
bool is_known(const config::Dependency& edge) {
  return edge.required && edge.condition != config::Condition::own_bell &&
         edge.condition != config::Condition::stopped;
}

// Those that have to be gone before each service; the order goes through gates and externals, and through
// whoever did not run. Parallel to the services of the stack.
std::vector<std::vector<std::size_t>> dependents_of(const config::Stack& stack, const Numbers& steps) {
  const std::size_t count = stack.services.size();
  Numbers numbers;
  for (std::size_t i = 0; i < count; ++i) numbers[stack.services[i].name] = i;
  std::vector<std::vector<std::size_t>> direct(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (const config::Dependency& edge : stack.services[i].depends_on) {
      if (const auto on = numbers.find(edge.service); on != numbers.end()) direct[on->second].push_back(i);
    }
  }
  std::vector<std::vector<std::size_t>> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<bool> seen(count);
    std::vector<std::size_t> todo = direct[i];
    while (!todo.empty()) {
      const std::size_t at = todo.back();
      todo.pop_back();
      if (seen[at]) continue;
      seen[at] = true;
      const bool goes_on = is_transparent(stack.services[at]) || !steps.contains(stack.services[at].name);
      if (goes_on)
        todo.insert(todo.end(), direct[at].begin(), direct[at].end());
      else
        all[i].push_back(at);
    }
  }
  return all;
}

}  // namespace

std::string_view condition_of(const config::Dependency& edge) {
  return edge.condition == config::Condition::own_bell ? std::string_view(*edge.bell)
                                                       : config::name_of(edge.condition);
}

NamedCourse course_of(const client::TimelineReply& timeline) {
  NamedCourse out;
  if (!timeline.begun_ns) return out;
  const auto since_begin = [&](std::int64_t at) { return Duration(at - *timeline.begun_ns); };
  Numbers numbers;
  std::vector<const TimelineService*> sources;
  std::vector<std::string> late, unfinished;
  for (const TimelineService& service : timeline.services) {
    if (!service.wanted_ns) continue;
    if (timeline.up_ns && *service.wanted_ns > *timeline.up_ns) {
      late.push_back(service.name);
      continue;
    }
    const auto end = service.ready_ns ? service.ready_ns : service.stopped_ns;
    const bool has_failed = service.state == "failed" || service.state == "backoff";
    if (!service.starting_ns || !end || (has_failed && !service.ready_ns)) {
      unfinished.push_back(service.name);
      continue;
    }
    numbers[service.name] = out.course.steps.size();
    sources.push_back(&service);
    out.course.steps.push_back({.name = service.name,
                                .wanted = since_begin(*service.wanted_ns),
                                .begin = since_begin(*service.starting_ns),
                                .end = since_begin(*end),
                                .waits = {}});
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (const client::TimelineEdge& edge : sources[i]->edges) {
      const auto on = numbers.find(edge.on);
      if (!edge.holds_since_ns || on == numbers.end()) continue;
      out.course.steps[i].waits.push_back(
          {.on = on->second, .condition = edge.condition, .held = since_begin(*edge.holds_since_ns)});
    }
  }
  remark(out, unfinished, "not ready, and so not part of it");
  remark(out, late, "started anew since, and so not part of it");
  return out;
}

NamedCourse course_of_start(const daemon::HistoryEntry& entry, const config::Stack& stack) {
  NamedCourse out;
  Numbers numbers;
  std::vector<std::string> unfinished;
  for (const daemon::HistoryService& service : entry.services) {
    if (!service.waited || !service.took) {
      unfinished.push_back(service.name);
      continue;
    }
    numbers[service.name] = out.course.steps.size();
    out.course.steps.push_back({.name = service.name,
                                .wanted = {},
                                .begin = *service.waited,
                                .end = *service.waited + *service.took,
                                .waits = {}});
  }
  for (const config::Service& service : stack.services) {
    const auto self = numbers.find(service.name);
    if (self == numbers.end()) continue;
    if (service.require.count != 0) continue;  // which of a quorum's members it was nobody has written down
    Step& step = out.course.steps[self->second];
    for (const config::Dependency& edge : service.depends_on) {
      const auto on = numbers.find(edge.service);
      if (on == numbers.end() || !is_known(edge)) continue;
      step.waits.push_back({.on = on->second, .condition = std::string(condition_of(edge))});
    }
  }
  bring_into_line(out.course);
  remark(out, unfinished, "not ready, and so not part of it");
  if (entry.services_in_all > entry.services.size())
    out.remarks.push_back("only the " + std::to_string(entry.services.size()) +
                          " services that took longest of " + std::to_string(entry.services_in_all) +
                          " are known");
  return out;
}

NamedCourse course_of_stop(const daemon::HistoryEntry& entry, const config::Stack& stack) {
  NamedCourse out;
  Numbers took;
  for (std::size_t i = 0; i < entry.services.size(); ++i) {
    if (entry.services[i].took) took[entry.services[i].name] = i;
  }
  const auto dependents = dependents_of(stack, took);
  // Whoever has no dependent left comes next.
  std::vector<std::size_t> missing(stack.services.size()), order;
  std::vector<std::vector<std::size_t>> below(stack.services.size());
  for (std::size_t i = 0; i < stack.services.size(); ++i) {
    missing[i] = dependents[i].size();
    for (const std::size_t above : dependents[i]) below[above].push_back(i);
  }
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (missing[i] == 0) order.push_back(i);
  }
  Numbers numbers;
  for (std::size_t at = 0; at < order.size(); ++at) {
    const std::size_t i = order[at];
    for (const std::size_t next : below[i]) {
      if (--missing[next] == 0) order.push_back(next);
    }
    const auto known = took.find(stack.services[i].name);
    if (known == took.end()) continue;
    const daemon::HistoryService& service = entry.services[known->second];
    Step step{.name = service.name, .waits = {}};
    for (const std::size_t above : dependents[i]) {
      const std::size_t on = numbers.at(stack.services[above].name);
      const Duration gone = out.course.steps[on].end;
      step.waits.push_back({.on = on, .condition = "stopped", .held = gone});
      step.begin = std::max(step.begin, gone);
    }
    step.end = step.begin + *service.took;
    numbers[service.name] = out.course.steps.size();
    out.course.steps.push_back(std::move(step));
  }
  return out;
}

analyze::Observation observation_of(const daemon::HistoryEntry& entry) {
  analyze::Observation out{.took = entry.took, .services = {}};
  for (const daemon::HistoryService& service : entry.services) {
    if (service.took) out.services.push_back({.name = service.name, .took = *service.took});
  }
  return out;
}

}  // namespace belfry::cli
