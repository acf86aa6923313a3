// /v1/cluster: who publishes what, since when, as which generation; and how this host stands with etcd.
#pragma once

#include <string>

#include "daemon/http/wire/message.hpp"
#include "daemon/http/wire/wall_clock.hpp"
#include "daemon/view/cluster_view.hpp"

namespace belfry::daemon::http {

[[nodiscard]] Response show_cluster(const ClusterView& view);
// The same for people.
[[nodiscard]] Response show_cluster_as_text(const ClusterView& view, WallClock& clock);

}  // namespace belfry::daemon::http
