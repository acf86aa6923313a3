#include "config/model/probes_of.hpp"

namespace belfry::config {

std::vector<const Probe*> probes_of(const Service& service, Probe::Kind kind) {
  std::vector<const Probe*> found;
  const auto look_at = [&found, kind](const ProbeSet& set) {
    for (const Probe& probe : set.probes) {
      if (probe.kind == kind) found.push_back(&probe);
    }
  };
  look_at(service.ready);
  if (service.extras) {
    for (const OwnBell& bell : service.extras->bells) look_at(bell.probes);
  }
  return found;
}

}  // namespace belfry::config
