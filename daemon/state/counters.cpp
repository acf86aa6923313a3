#include "daemon/state/counters.hpp"

namespace belfry::daemon {

void ServiceTimes::probe_tried(std::string_view kind, bool success, double seconds) {
  auto of_kind = std::ranges::find(probes, kind, &ProbeAttempts::kind);
  if (of_kind == probes.end()) of_kind = probes.insert(of_kind, {.kind = kind});
  ++(success ? of_kind->successes : of_kind->failures);
  of_kind->took.observe(seconds);
}

}  // namespace belfry::daemon
