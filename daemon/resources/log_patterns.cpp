#include "daemon/resources/log_patterns.hpp"

#include <algorithm>
#include <utility>

namespace belfry::daemon {

namespace {

// To begin a search costs about 100 ns.
constexpr std::size_t steps_of_an_empty_line = 20;

}  // namespace

LogPatterns::LogPatterns(ServiceEvents& events, LogPipes& pipe,
                         const std::vector<const config::Probe*>& probes)
    : events_(events), pipe_(pipe) {
  for (const config::Probe* probe : probes) {
    // The file was checked: a pattern that does not compile never gets here.
    auto pattern = config::Pattern::compile(probe->target, config::Pattern::Groups::keep);
    const bool publishes = pattern && !pattern->group_names().empty();
    if (!publishes) pattern = config::Pattern::compile(probe->target);  // fewer steps
    if (pattern) awaited_.push_back({.probe = probe, .pattern = std::move(*pattern), .publishes = publishes});
  }
}

void LogPatterns::begin_run() {
  pipe_.tell(nullptr);
  pipe_.drain();
  for (AwaitedLine& one : awaited_) {
    one.left = one.probe->times;
    one.counted_ahead = false;
  }
  LineListener& listener = *this;
  pipe_.tell(&listener);
}

// What a match has in its groups takes a second look.
std::size_t LogPatterns::on_turn() {
  std::size_t steps = 0;
  for (const AwaitedLine& one : awaited_) {
    if (one.left > 0)
      steps += (one.publishes ? 2 : 1) * std::max(one.pattern.steps(), steps_of_an_empty_line);
  }
  left_to_look_ = config::Pattern::reach_of(steps);
  longest_look_ = std::max<std::size_t>(left_to_look_ / 2, 1);
  return longest_look_;
}

// Empty: it is not looked at.
std::optional<std::size_t> LogPatterns::share_of(std::string_view line) {
  if (left_to_look_ == 0) return std::nullopt;
  const std::size_t share = std::min({line.size(), longest_look_, left_to_look_});
  left_to_look_ -= std::min(left_to_look_, share + 1);  // its end is a byte, too
  return share;
}

void LogPatterns::on_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);  // `$` is the end of what a person reads
  const auto share = share_of(line);
  for (AwaitedLine& one : awaited_) {
    if (std::exchange(one.counted_ahead, false) || one.left == 0) continue;
    if (share && one.pattern.occurs_in(line, *share)) count(one, line, *share);
  }
  rest_when_all_are_seen();
}

void LogPatterns::on_unfinished(std::string_view line) {
  const auto share = share_of(line);
  if (!share) return;
  for (AwaitedLine& one : awaited_) {
    if (one.counted_ahead || one.left == 0 || !one.pattern.occurs_in(line, *share)) continue;
    one.counted_ahead = true;
    count(one, line, *share);
  }
  rest_when_all_are_seen();
}

void LogPatterns::count(AwaitedLine& one, std::string_view line, std::size_t share) {
  if (--one.left > 0) return;
  publish(one, line, share);
  events_.heard({.kind = config::Probe::Kind::log, .only = one.probe, .words = line});
}

void LogPatterns::rest_when_all_are_seen() {
  if (std::ranges::none_of(awaited_, [](const AwaitedLine& one) { return one.left > 0; }))
    pipe_.tell(nullptr);
}

void LogPatterns::publish(const AwaitedLine& matched, std::string_view line, std::size_t share) {
  if (!matched.publishes) return;
  for (const auto& [name, value] : matched.pattern.groups_in(line, share)) events_.publish(name, value);
}

}  // namespace belfry::daemon
