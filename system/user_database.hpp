// The users and groups of this machine, behind one interface with two implementations, of which a build links
// one: user_database_nss.cpp asks NSS, user_database_files.cpp (BELFRY_STATIC) reads /etc/passwd and
// /etc/group.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "system/or_errno.hpp"

namespace belfry::system {

struct UserEntry {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
  std::string home;
  std::string shell;
};

// Nothing: there is no such entry. An error: it cannot be known. All of them block.
[[nodiscard]] OrErrno<std::optional<UserEntry>> user_of(const std::string& name);
[[nodiscard]] OrErrno<std::optional<UserEntry>> user_of(uid_t uid);
[[nodiscard]] OrErrno<std::optional<gid_t>> group_of(const std::string& name);
// `gid` and the groups that have the user as a member, as getgrouplist(3).
[[nodiscard]] std::vector<gid_t> groups_of(const std::string& user, gid_t gid);

// Behind "unknown user …": where else the entry may be, that was not looked into. Empty with NSS.
[[nodiscard]] std::string_view not_looked_into();

}  // namespace belfry::system
