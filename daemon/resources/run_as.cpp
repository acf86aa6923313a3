#include "daemon/resources/run_as.hpp"

#include <optional>

#include "daemon/notify/own_socket.hpp"
#include "system/capabilities.hpp"

namespace belfry::daemon {

std::string identity_key(const config::Service& spec) {
  std::string key = *spec.user + ":";
  if (!spec.extras) return key;
  key += spec.extras->group;
  for (const std::string& group : spec.extras->supplementary_groups) key.append("+").append(group);
  return key;
}

std::string words_for_identity(const config::Service& spec) {
  const std::string group = spec.extras ? spec.extras->group : std::string();
  if (spec.user->empty() && group.empty()) return "a member of `supplementary_groups`";
  if (spec.user->empty()) return "group " + group;
  return group.empty() ? *spec.user : *spec.user + ":" + group;
}

Result<void> check_rights(const config::Service& spec, const system::Identity& identity) {
  std::optional<std::string> missing = system::what_is_missing_to_run_as(identity);
  const bool needs_a_gift = identity.uid != system::own_user() && wants_own_notify_socket(spec);
  if (!missing && needs_a_gift && !system::has_capability(CAP_CHOWN))
    missing =
        "belfry lacks CAP_CHOWN, and cannot give it a notify socket (as with docker run --cap-add CHOWN)";
  if (!missing) return check_capabilities(spec);
  return std::unexpected(Error(
      Error::Kind::failed, "cannot run " + spec.name + " as " + words_for_identity(spec) + ": " + *missing));
}

Result<void> check_capabilities(const config::Service& spec) {
  if (!spec.extras || !spec.extras->capabilities) return {};
  const auto& [dropped, ambient] = *spec.extras->capabilities;
  const std::string why = system::why_no_capabilities(dropped, ambient);
  if (why.empty()) return {};
  return std::unexpected(Error::failed("cannot run " + spec.name + " with its `capabilities`: " + why));
}

}  // namespace belfry::daemon
