#include "daemon/resources/log_patterns.hpp"

#include <algorithm>

namespace belfry::daemon {

LogPatterns::LogPatterns(ServiceEvents& events, LogPipe& pipe,
                         const std::vector<const config::Probe*>& probes)
    : events_(events), pipe_(pipe) {
  for (const config::Probe* probe : probes) {
    // The file was checked: a pattern that does not compile never gets here.
    if (auto pattern = config::Pattern::compile(probe->target))
      awaited_.push_back({.probe = probe, .pattern = std::move(*pattern)});
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
    events_.heard({config::Probe::Kind::log, one.probe});
  }
  if (std::ranges::all_of(awaited_, &AwaitedLine::seen)) pipe_.tell(nullptr);
}

}  // namespace belfry::daemon
