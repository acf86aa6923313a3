#include "config/model/probes_of.hpp"

namespace belfry::config {

std::vector<Probe const*> probes_of(Service const& service, Probe::Kind kind) {
  std::vector<Probe const*> found;
  auto const look_at = [&found, kind](ProbeSet const& set) {
    for (Probe const& probe : set.probes) {
      if (probe.kind == kind) found.push_back(&probe);
    }
  };
  look_at(service.ready);
  if (service.extras) {
    for (OwnBell const& bell : service.extras->bells) look_at(bell.probes);
  }
  return found;
}

}  // namespace belfry::config
