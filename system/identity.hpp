// As whom a process runs: a user, its group and its supplementary groups, looked up once.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "system/process.hpp"

namespace belfry::system {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary, `gid` included
  std::string name;           // for USER and LOGNAME; the number when the user has no entry
  std::string home = "/";     // HOME
  std::string shell = "/bin/sh";
  bool more_groups = false;  // some of `groups` are not the user's own
};

// Looks `user` (name or number) and `group` (name, number or empty: the user's own) up in the system's
// databases. Blocks as long as NSS does: call it while preparing, not at a bell. The error's stage is
// `identity`; its errnum is 0 when there simply is no such user or group.
// `more`: names or numbers of groups beside those that the databases know of the user.
[[nodiscard]] std::expected<Identity, SpawnError> find_identity(std::string_view user,
                                                                std::string_view group = {},
                                                                std::span<const std::string> more = {});

// A group by name or number.
[[nodiscard]] std::expected<gid_t, SpawnError> find_group(std::string_view group);

// The user that belfry acts as.
[[nodiscard]] inline uid_t own_user() { return ::geteuid(); }
[[nodiscard]] inline gid_t own_group() { return ::getegid(); }

// Why this process cannot start another one as that user: "belfry is not root (it is user 1000, …)". Empty:
// it can, as far as its rights tell.
[[nodiscard]] std::string why_cannot_become(const Identity& whom);

}  // namespace belfry::system
