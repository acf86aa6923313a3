// Which probes a service has, wherever the file names them.
#pragma once

#include <vector>

#include "config/model/model.hpp"

namespace belfry::config {

// Those of this kind, of its readiness and of its own bells, in the order of the file. They live as long as
// the service.
[[nodiscard]] std::vector<const Probe*> probes_of(const Service& service, Probe::Kind kind);

}  // namespace belfry::config
