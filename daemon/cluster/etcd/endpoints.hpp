// The members of a cluster: how they are named, and which of them is asked when.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "channels/error.hpp"
#include "channels/time/time.hpp"
#include "probes/net/target.hpp"

namespace belfry::daemon::etcd {

struct Endpoint {
  probes::Target target;
  bool within_tls = false;
};

// From 0 to below 1, each as likely as any other.
using Random = std::function<double()>;

// "https://e1:2379", "http://e1:2379" or "e1:2379", which is within TLS if `within_tls` says so. Without a
// port it is 2379.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text, bool within_tls);

// Every order is as likely as any other, so that a thousand clients spread over the members.
void shuffle(std::vector<Endpoint>& endpoints, const Random& random);

// How long to wait before the next attempt after so many that failed, one at least: anything from 0 to
// min(30 s, 2^(failures-1) s), so that those who lost the same member do not come back together.
[[nodiscard]] Duration full_jitter(std::uint32_t failures, double random);

}  // namespace belfry::daemon::etcd
