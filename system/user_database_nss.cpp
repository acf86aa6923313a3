#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <expected>

#include "system/user_database.hpp"

namespace belfry::system {

namespace {

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

template <class Call>
OrErrno<std::optional<UserEntry>> user_by(Call call) {
  std::vector<char> buffer;
  struct passwd entry{};
  struct passwd* found = nullptr;
  const int error = look_up(buffer, entry, found, call);
  if (found != nullptr)
    return UserEntry{found->pw_uid, found->pw_gid, found->pw_name, found->pw_dir, found->pw_shell};
  if (error != 0) return std::unexpected(error);
  return std::nullopt;
}

}  // namespace

OrErrno<std::optional<UserEntry>> user_of(const std::string& name) {
  return user_by([&](auto... args) { return getpwnam_r(name.c_str(), args...); });
}

OrErrno<std::optional<UserEntry>> user_of(uid_t uid) {
  return user_by([&](auto... args) { return getpwuid_r(uid, args...); });
}

OrErrno<std::optional<gid_t>> group_of(const std::string& name) {
  std::vector<char> buffer;
  struct group entry{};
  struct group* found = nullptr;
  const int error =
      look_up(buffer, entry, found, [&](auto... args) { return getgrnam_r(name.c_str(), args...); });
  if (found != nullptr) return found->gr_gid;
  if (error != 0) return std::unexpected(error);
  return std::nullopt;
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

std::string_view not_looked_into() { return {}; }

}  // namespace belfry::system
