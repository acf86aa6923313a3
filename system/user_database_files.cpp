#include "system/account_files.hpp"
#include "system/user_database.hpp"

// Without NSS: the modules of nsswitch.conf(5) are shared libraries of one version of glibc.
namespace belfry::system {

namespace {
const AccountFiles files;
}  // namespace

OrErrno<std::optional<UserEntry>> user_of(const std::string& name) { return files.user_of(name); }
OrErrno<std::optional<UserEntry>> user_of(uid_t uid) { return files.user_of(uid); }
OrErrno<std::optional<gid_t>> group_of(const std::string& name) { return files.group_of(name); }
std::vector<gid_t> groups_of(const std::string& user, gid_t gid) { return files.groups_of(user, gid); }

std::string_view not_looked_into() {
  return " (a static belfry reads /etc/passwd and /etc/group only: no LDAP, no systemd; write its number)";
}

}  // namespace belfry::system
