#include "daemon/resources/run_as.hpp"

#include <optional>

#include "daemon/notify/own_socket.hpp"
#include "system/capabilities.hpp"

namespace belfry::daemon {

std::string identity_key(const config::Service& spec) {
  return *spec.user + ":" + (spec.extras ? spec.extras->group : std::string());
}

std::string words_for_identity(const config::Service& spec) {
  const std::string group = spec.extras ? spec.extras->group : std::string();
  if (spec.user->empty()) return "group " + group;
  return group.empty() ? *spec.user : *spec.user + ":" + group;
}

Result<void> check_rights(const config::Service& spec, const system::Identity& identity) {
  std::optional<std::string> missing = system::what_is_missing_to_run_as(identity);
  const bool needs_a_gift = identity.uid != system::own_user() && wants_own_notify_socket(spec);
  if (!missing && needs_a_gift && !system::has_capability(CAP_CHOWN))
    missing =
        "belfry lacks CAP_CHOWN, and cannot give it a notify socket (as with docker run --cap-add CHOWN)";
  if (!missing) return {};
  return std::unexpected(Error(
      Error::Kind::failed, "cannot run " + spec.name + " as " + words_for_identity(spec) + ": " + *missing));
}

}  // namespace belfry::daemon
