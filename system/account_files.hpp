// passwd(5) and group(5), read without NSS. A line that is none of theirs is passed over, as glibc does.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "system/or_errno.hpp"
#include "system/user_database.hpp"

namespace belfry::system {

// The files are read anew for each question: they are small, and belfry asks while it prepares. A file that
// is missing has no entries; one that cannot be read, is no regular file or has more than 16 MiB is an error.
class AccountFiles {
 public:
  explicit AccountFiles(std::string passwd = "/etc/passwd", std::string group = "/etc/group")
      : passwd_(std::move(passwd)), group_(std::move(group)) {}

  // The first entry wins where several have the name or the number.
  [[nodiscard]] OrErrno<std::optional<UserEntry>> user_of(const std::string& name) const;
  [[nodiscard]] OrErrno<std::optional<UserEntry>> user_of(uid_t uid) const;
  [[nodiscard]] OrErrno<std::optional<gid_t>> group_of(const std::string& name) const;
  // The name of the first group with this number; empty: there is none, or it cannot be known.
  [[nodiscard]] std::string name_of_group(gid_t gid) const;
  // `gid` first, then each other group of which the user is a member, once. A file that cannot be read adds
  // none.
  [[nodiscard]] std::vector<gid_t> groups_of(const std::string& user, gid_t gid) const;

 private:
  std::string passwd_;
  std::string group_;
};

}  // namespace belfry::system
