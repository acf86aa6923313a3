#include "system/identity.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <expected>
#include <optional>

#include "system/capabilities.hpp"
#include "system/user_database.hpp"

namespace belfry::system {

namespace {

// (uid_t)-1 means "leave as it is" to setresuid: never a user.
std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || value == ~0U) return std::nullopt;
  return value;
}

std::unexpected<SpawnError> unknown(std::string_view what, std::string_view name, int errnum) {
  std::string detail = (errnum == 0 ? "unknown " : "cannot look up ") + std::string(what) + " \"";
  detail.append(name).append("\"").append(not_looked_into());
  return std::unexpected(SpawnError{SpawnStage::identity, errnum, std::move(detail)});
}

}  // namespace

std::expected<gid_t, SpawnError> find_group(std::string_view group) {
  const auto found = group_of(std::string(group));
  if (found && *found) return **found;
  if (auto gid = number(group)) return *gid;
  return unknown("group", group, found ? 0 : found.error());
}

std::string why_cannot_become(const Identity& whom) {
  uid_t real = 0, effective = 0, saved = 0;
  gid_t real_group = 0, group = 0, saved_group = 0;
  ::getresuid(&real, &effective, &saved);
  ::getresgid(&real_group, &group, &saved_group);
  const bool same_user = whom.uid == real && whom.uid == effective && whom.uid == saved;
  const bool same_group = whom.gid == real_group && whom.gid == group && whom.gid == saved_group;
  std::string missing;
  if (!same_user && !has_capability(CAP_SETUID)) missing = "CAP_SETUID";
  if ((!same_user || !same_group || whom.more_groups || effective == 0) && !has_capability(CAP_SETGID))
    missing += missing.empty() ? "CAP_SETGID" : " and CAP_SETGID";
  if (missing.empty()) return {};
  if (effective == 0) return "belfry is root without " + missing;
  return "belfry is not root (it is user " + std::to_string(effective) + ", without " + missing + ")";
}

std::expected<Identity, SpawnError> find_identity(std::string_view user, std::string_view group,
                                                  std::span<const std::string> more) {
  const std::string name(user);
  const auto uid = number(user);
  const auto entry = uid ? user_of(*uid) : user_of(name);
  const bool found = entry && *entry;
  Identity identity;
  if (found) {
    const UserEntry& is = **entry;
    identity = {is.uid, is.gid, {}, is.name, is.home, is.shell};
  } else if (uid) {
    identity.uid = *uid;
    identity.gid = *uid;  // as containers do for a number without an entry
    identity.name = name;
  } else {
    return unknown("user", user, entry ? 0 : entry.error());
  }
  if (!group.empty()) {
    auto gid = find_group(group);
    if (!gid) return std::unexpected(std::move(gid.error()));
    identity.gid = *gid;
  }
  identity.groups = found ? groups_of(identity.name, identity.gid) : std::vector{identity.gid};
  for (const std::string& one : more) {
    auto gid = find_group(one);
    if (!gid) return std::unexpected(std::move(gid.error()));
    if (std::ranges::find(identity.groups, *gid) != identity.groups.end()) continue;
    identity.groups.push_back(*gid);
    identity.more_groups = true;
  }
  return identity;
}

}  // namespace belfry::system
