// What stands behind a key: that a service is ready on a host, and what its bell carries; or why it is not.
// JSON, so that people can read it with etcdctl. Bounded: what is longer, deeper or otherwise none of
// belfry's is refused and never counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channels/error.hpp"

namespace belfry::daemon::cluster {

struct Publication {
  std::string boot_id;            // of the belfry that has written it: another one after each of its starts
  std::uint64_t incarnation = 0;  // of the service there
  std::int64_t since_ms = 0;      // by that host's clock, Unix time: since when it is ready, or is not
  std::vector<std::pair<std::string, std::string>> outputs;
  std::string words;  // why it is not ready; empty: it is
  friend bool operator==(const Publication&, const Publication&) = default;
};

inline constexpr std::size_t longest_publication = 65536;

[[nodiscard]] std::string written(const Publication& publication);
// The error says what is wrong with it: "it is no JSON".
[[nodiscard]] Result<Publication> read_publication(std::string_view text);

}  // namespace belfry::daemon::cluster
