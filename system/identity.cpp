#include "system/identity.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <expected>
#include <optional>

#include "system/capabilities.hpp"

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
  detail.append(name).append("\"");
  return std::unexpected(SpawnError{SpawnStage::identity, errnum, std::move(detail)});
}

// Calls one of the get…_r functions with a buffer that grows until the entry fits.
// 0 with *found == nullptr: there is no such entry.
template <class Entry, class Call>
int look_up(std::vector<char>& buffer, Entry& entry, Entry*& found, Call call) {
  buffer.resize(1024);
  for (;;) {
    int error = call(&entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE && buffer.size() < (1U << 20)) {
      buffer.resize(buffer.size() * 2);
    } else if (error != EINTR) {
      // getpwnam(3): several systems report "not found" by one of these
      return error == ENOENT || error == ESRCH ? 0 : error;
    }
  }
}

std::vector<gid_t> groups_of(const std::string& user, gid_t gid) {
  std::vector<gid_t> groups(32);
  for (;;) {
    int count = static_cast<int>(groups.size());
    int result = getgrouplist(user.c_str(), gid, groups.data(), &count);
    if (result >= 0) {
      groups.resize(static_cast<std::size_t>(count));
      return groups;
    }
    groups.resize(std::max(groups.size() * 2, static_cast<std::size_t>(count)));
  }
}

}  // namespace

std::expected<gid_t, SpawnError> find_group(std::string_view group) {
  std::vector<char> buffer;
  struct group entry{};
  struct group* found = nullptr;
  std::string name(group);
  int error = look_up(buffer, entry, found, [&](auto... args) { return getgrnam_r(name.c_str(), args...); });
  if (found != nullptr) return found->gr_gid;
  if (auto gid = number(group)) return *gid;
  return unknown("group", group, error);
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
  if ((!same_user || !same_group || effective == 0) && !has_capability(CAP_SETGID))
    missing += missing.empty() ? "CAP_SETGID" : " and CAP_SETGID";
  if (missing.empty()) return {};
  if (effective == 0) return "belfry is root without " + missing;
  return "belfry is not root (it is user " + std::to_string(effective) + ", without " + missing + ")";
}

std::expected<Identity, SpawnError> find_identity(std::string_view user, std::string_view group) {
  std::vector<char> buffer;
  struct passwd entry{};
  struct passwd* found = nullptr;
  std::string name(user);
  auto uid = number(user);
  int error = look_up(buffer, entry, found, [&](auto... args) {
    return uid ? getpwuid_r(*uid, args...) : getpwnam_r(name.c_str(), args...);
  });
  Identity identity;
  if (found != nullptr) {
    identity = {found->pw_uid, found->pw_gid, {}, found->pw_name, found->pw_dir, found->pw_shell};
  } else if (uid) {
    identity.uid = *uid;
    identity.gid = *uid;  // as containers do for a number without an entry
    identity.name = name;
  } else {
    return unknown("user", user, error);
  }
  if (!group.empty()) {
    auto gid = find_group(group);
    if (!gid) return std::unexpected(std::move(gid.error()));
    identity.gid = *gid;
  }
  identity.groups = found != nullptr ? groups_of(identity.name, identity.gid) : std::vector{identity.gid};
  return identity;
}

}  // namespace belfry::system
