#include "daemon/cluster/etcd/version.hpp"

#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>

#include "probes/protocols/server_words.hpp"

namespace belfry::daemon::etcd {

namespace {

struct Version {
  std::uint32_t major = 0, minor = 0, patch = 0;
  auto operator<=>(const Version&) const = default;
};

// "3.5.9", and whatever follows it.
std::optional<Version> parse(std::string_view text) {
  Version version;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::uint32_t* const part : {&version.major, &version.minor, &version.patch}) {
    const auto [stopped, failed] = std::from_chars(at, end, *part);
    if (failed != std::errc()) return std::nullopt;
    if (part != &version.patch && (stopped == end || *stopped != '.')) return std::nullopt;
    at = stopped + (part == &version.patch ? 0 : 1);
  }
  return version;
}

constexpr Version good_3_5{3, 5, 33};
constexpr Version good_3_6{3, 6, 14};

bool is_good(const Version& version) {
  return version >= good_3_6 || (version.major == 3 && version.minor == 5 && version >= good_3_5);
}

}  // namespace

std::string remark_on_version(std::string_view version) {
  const std::optional<Version> known = parse(version);
  if (!known)
    return "etcd says nothing of its version that can be read (" + probes::quoted(version) +
           "): 3.5.33, 3.6.14 and later are good";
  if (is_good(*known)) return {};
  return "etcd " + std::to_string(known->major) + "." + std::to_string(known->minor) + "." +
         std::to_string(known->patch) +
         " can lose watch events, keep leases alive that are gone and show keys to those who may not see "
         "them: 3.5.33, 3.6.14 and later do not";
}

}  // namespace belfry::daemon::etcd
