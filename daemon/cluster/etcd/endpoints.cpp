#include "daemon/cluster/etcd/endpoints.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace belfry::daemon::etcd {

namespace {

constexpr std::uint16_t usual_port = 2379;
constexpr std::uint32_t longest_wait_s = 30;

Error malformed(std::string_view text, const std::string& why) {
  return Error(Error::Kind::invalid, "cannot use the etcd endpoint '" + std::string(text) + "': " + why);
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text, bool within_tls) {
  if (!text.contains("://")) {
    const auto target = probes::parse_host_port(text, usual_port);
    if (!target) return std::unexpected(malformed(text, target.error().text()));
    return Endpoint{*target, within_tls};
  }
  const auto url = probes::parse_url(text, usual_port);
  if (!url) return std::unexpected(malformed(text, url.error().text()));
  if (url->scheme != "http" && url->scheme != "https")
    return std::unexpected(malformed(text, "it begins with neither http:// nor https://"));
  if (!url->user.empty() || !url->password.empty())
    return std::unexpected(malformed(text, "user and password have keys of their own"));
  if (url->path != "/") return std::unexpected(malformed(text, "it has a path, and gRPC has none"));
  return Endpoint{url->target, url->scheme == "https"};
}

void shuffle(std::vector<Endpoint>& endpoints, const Random& random) {
  for (std::size_t left = endpoints.size(); left > 1; --left) {
    const auto chosen = static_cast<std::size_t>(random() * static_cast<double>(left));
    std::swap(endpoints[left - 1], endpoints[std::min(chosen, left - 1)]);
  }
}

Duration full_jitter(std::uint32_t failures, double random) {
  const std::uint32_t doublings = std::min(std::max(failures, 1U) - 1U, 5U);
  const std::uint32_t most = std::min(longest_wait_s, 1U << doublings);
  return saturating_scale(std::chrono::seconds(most), random);
}

}  // namespace belfry::daemon::etcd
