#include "daemon/resources/log_patterns.hpp"

#include <algorithm>
#include <utility>

namespace belfry::daemon {

LogPatterns::LogPatterns(ServiceEvents& events, LogPipe& pipe,
                         const std::vector<const config::Probe*>& probes)
    : events_(events), pipe_(pipe) {
  for (const config::Probe* probe : probes) {
    // The file was checked: a pattern that does not compile never gets here.
    auto pattern = config::Pattern::compile(probe->target, config::Pattern::Groups::keep);
    const bool publishes = pattern && !pattern->group_names().empty();
    if (!publishes) pattern = config::Pattern::compile(probe->target);
    if (pattern) awaited_.push_back({.probe = probe, .pattern = std::move(*pattern), .publishes = publishes});
  }
}

void LogPatterns::begin_run() {
  pipe_.drain();
  for (AwaitedLine& one : awaited_) {
    one.left = one.probe->times;
    one.counted_ahead = false;
  }
  LineListener& listener = *this;
  pipe_.tell(&listener);
}

// All of them look through the same bytes.
std::size_t LogPatterns::most_at_once() const {
  std::size_t most = std::size_t{1} << 20;
  for (const AwaitedLine& one : awaited_) {
    if (one.left > 0) most = std::min(most, one.pattern.reach());
  }
  return std::max<std::size_t>(most / std::max<std::size_t>(awaited_.size(), 1), 1024);
}

void LogPatterns::on_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);  // `$` is the end of what a person reads
  for (AwaitedLine& one : awaited_) {
    if (!std::exchange(one.counted_ahead, false) && one.left > 0 && one.pattern.occurs_in(line))
      count(one, line);
  }
  rest_when_all_are_seen();
}

void LogPatterns::on_unfinished(std::string_view line) {
  for (AwaitedLine& one : awaited_) {
    if (one.counted_ahead || one.left == 0 || !one.pattern.occurs_in(line)) continue;
    one.counted_ahead = true;
    count(one, line);
  }
  rest_when_all_are_seen();
}

void LogPatterns::count(AwaitedLine& one, std::string_view line) {
  if (--one.left > 0) return;
  publish(one, line);
  events_.heard({config::Probe::Kind::log, one.probe});
}

void LogPatterns::rest_when_all_are_seen() {
  if (std::ranges::none_of(awaited_, [](const AwaitedLine& one) { return one.left > 0; }))
    pipe_.tell(nullptr);
}

void LogPatterns::publish(const AwaitedLine& matched, std::string_view line) {
  if (!matched.publishes) return;
  for (const auto& [name, value] : matched.pattern.groups_in(line)) events_.publish(name, value);
}

}  // namespace belfry::daemon
