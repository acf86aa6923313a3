#include "daemon/resources/log_patterns.hpp"

#include <algorithm>

namespace belfry::daemon {

LogPatterns::LogPatterns(ServiceEvents& events, LogPipe& pipe,
                         const std::vector<const config::Probe*>& probes)
    : events_(events), pipe_(pipe) {
  for (const config::Probe* probe : probes) {
    // The file was checked: what does not compile never got here.
    if (auto pattern = config::Pattern::compile(probe->target))
      watched_.push_back({.probe = probe, .pattern = std::move(*pattern)});
  }
}

void LogPatterns::begin_run() {
  pipe_.drain();
  for (Watched& watched : watched_) watched.seen = false;
  LineListener& listener = *this;
  pipe_.tell(&listener);
}

void LogPatterns::on_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);  // `$` is the end of what a person reads
  for (Watched& watched : watched_) {
    if (watched.seen || !watched.pattern.occurs_in(line)) continue;
    watched.seen = true;
    events_.heard({config::Probe::Kind::log, watched.probe});
  }
  if (std::ranges::all_of(watched_, &Watched::seen)) pipe_.tell(nullptr);
}

}  // namespace belfry::daemon
