#include "analyze/course.hpp"

#include <algorithm>
#include <utility>

namespace belfry::analyze {

namespace {

// Of a moment that was measured on another clock edge than its cause.
constexpr Duration nothing{0};

}  // namespace

Analysis::Analysis(Course course)
    : course_(std::move(course)),
      rules_(course_.steps.size()),
      critical_(course_.steps.size()),
      slack_(course_.steps.size(), nothing) {
  learn();
  sort();
  for (const Step& step : course_.steps) end_ = std::max(end_, step.end);
  find_path();
  find_slack();
}

void Analysis::learn() {
  for (std::size_t i = 0; i < course_.steps.size(); ++i) {
    Step& step = course_.steps[i];
    step.end = std::max(step.end, step.begin);
    Rule& rule = rules_[i];
    rule.took = step.end - step.begin;
    rule.not_before = std::min(step.wanted, step.begin);
    Duration latest = rule.not_before;
    for (const Wait& wait : step.waits) {
      if (wait.on == i || wait.on >= course_.steps.size() || wait.held > step.begin) continue;
      const Step& on = course_.steps[wait.on];
      latest = std::max(latest, wait.held);
      if (wait.held < on.begin)
        rule.not_before = std::max(rule.not_before, wait.held);  // of an earlier run: it does not move
      else if (wait.held >= on.end)
        rule.needs.push_back({.on = wait.on, .of_its_end = true, .after = wait.held - on.end});
      else
        rule.needs.push_back({.on = wait.on, .of_its_end = false, .after = wait.held - on.begin});
    }
    rule.lag = step.begin - latest;
  }
}

// An event comes after its step's begin and before the next one's, so the begins are an order, but for those
// that are alike.
void Analysis::sort() {
  std::vector<std::size_t> missing(rules_.size());
  std::vector<std::vector<std::size_t>> above(rules_.size());
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    missing[i] = rules_[i].needs.size();
    for (const Need& need : rules_[i].needs) above[need.on].push_back(i);
  }
  std::vector<bool> placed(rules_.size());
  const auto place = [&](std::size_t i) {
    placed[i] = true;
    order_.push_back(i);
  };
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (missing[i] == 0) place(i);
  }
  for (std::size_t at = 0; at < order_.size(); ++at) {
    for (const std::size_t i : above[order_[at]]) {
      if (--missing[i] == 0 && !placed[i]) place(i);
    }
  }
  // A circle can only be a mistake of whoever has measured: its waits are taken as moments.
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (placed[i]) continue;
    rules_[i].not_before = course_.steps[i].begin - rules_[i].lag;
    rules_[i].needs.clear();
    place(i);
  }
}

Duration Analysis::event(const Need& need, const std::vector<Duration>& begin,
                         const std::vector<Duration>& end) const {
  // What comes before the end of a step that got shorter than that comes with the end.
  return need.of_its_end ? end[need.on] + need.after : std::min(begin[need.on] + need.after, end[need.on]);
}

Duration Analysis::simulate(std::size_t changed, Duration faster) const {
  std::vector<Duration> begin(rules_.size()), end(rules_.size());
  Duration last{0};
  for (const std::size_t i : order_) {
    const Rule& rule = rules_[i];
    Duration latest = rule.not_before;
    for (const Need& need : rule.needs) latest = std::max(latest, event(need, begin, end));
    begin[i] = latest + rule.lag;
    end[i] = begin[i] + std::max(rule.took - (i == changed ? faster : nothing), nothing);
    last = std::max(last, end[i]);
  }
  return last;
}

Duration Analysis::end_if(std::size_t step, Duration faster) const { return simulate(step, faster); }

// Back from the last end, each time to the event that came last before the begin.
void Analysis::find_path() {
  if (course_.steps.empty()) return;
  std::vector<Duration> begin, end;
  for (const Step& step : course_.steps) {
    begin.push_back(step.begin);
    end.push_back(step.end);
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < course_.steps.size(); ++i) {
    if (end[i] > end[at]) at = i;
  }
  Duration until = end[at];
  std::string condition;
  for (;;) {
    critical_[at] = true;
    Link link{.step = at, .waited = rules_[at].lag, .took = until - begin[at], .condition = condition};
    const Need* last = nullptr;
    for (const Need& need : rules_[at].needs) {
      if (last == nullptr || event(need, begin, end) > event(*last, begin, end)) last = &need;
    }
    if (last == nullptr || event(*last, begin, end) < rules_[at].not_before) {
      link.waited = begin[at];
      path_.push_back(std::move(link));
      break;
    }
    until = event(*last, begin, end);
    const auto& waits = course_.steps[at].waits;
    const auto wait =
        std::ranges::find_if(waits, [&](const Wait& one) { return one.on == last->on && one.held == until; });
    condition = wait == waits.end() ? "" : wait->condition;
    path_.push_back(std::move(link));
    at = last->on;
  }
  std::ranges::reverse(path_);
}

// Backwards: the latest begin and end of each step with which everything is still done in time.
void Analysis::find_slack() {
  std::vector<Duration> latest_begin(rules_.size(), Duration::max());
  std::vector<Duration> latest_end(rules_.size(), end_);
  for (auto at = order_.rbegin(); at != order_.rend(); ++at) {
    const std::size_t i = *at;
    const Rule& rule = rules_[i];
    latest_begin[i] = std::min(latest_begin[i], latest_end[i] - rule.took);
    slack_[i] = latest_end[i] - course_.steps[i].end;
    for (const Need& need : rule.needs) {
      const Duration by = latest_begin[i] - rule.lag - need.after;
      Duration& bound = need.of_its_end ? latest_end[need.on] : latest_begin[need.on];
      bound = std::min(bound, by);
    }
  }
}

std::vector<Gain> Analysis::gains() const {
  std::vector<Gain> all;
  for (const Link& link : path_) {
    const Duration took = rules_[link.step].took;
    const Duration earlier = end_ - simulate(link.step, took);
    if (earlier > nothing) all.push_back({.step = link.step, .faster = took, .earlier = earlier});
  }
  std::ranges::sort(all, [](const Gain& a, const Gain& b) {
    return std::pair(b.earlier, a.step) < std::pair(a.earlier, b.step);
  });
  return all;
}

}  // namespace belfry::analyze
