#include "daemon/resources/log_patterns.hpp"

#include <algorithm>

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
  for (AwaitedLine& one : awaited_) one.seen = false;
  LineListener& listener = *this;
  pipe_.tell(&listener);
}

void LogPatterns::on_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);  // `$` is the end of what a person reads
  for (AwaitedLine& one : awaited_) {
    if (one.seen || !one.pattern.occurs_in(line)) continue;
    one.seen = true;
    publish(one, line);
    events_.heard({config::Probe::Kind::log, one.probe});
  }
  if (std::ranges::all_of(awaited_, &AwaitedLine::seen)) pipe_.tell(nullptr);
}

void LogPatterns::publish(const AwaitedLine& matched, std::string_view line) {
  if (!matched.publishes) return;
  for (const auto& [name, value] : matched.pattern.groups_in(line)) events_.publish(name, value);
}

}  // namespace belfry::daemon
