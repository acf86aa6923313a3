// The right to execute a file and to enter a directory, by whom, and what would give it.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>

struct stat;

namespace belfry::system {

// Who wants to execute it. Root may enter every directory, and needs one executable bit all the same.
struct Executor {
  uid_t uid = 0;
  std::span<const gid_t> groups = {};
};

// Of belfry's own user the kernel is asked, which knows of access control lists; of another the bits tell.
[[nodiscard]] bool may_execute(const std::string& path, const struct ::stat& file, const Executor& who);

// "user app may not enter /root (mode 0700, of root:root; chmod o+x /root would let it)".
[[nodiscard]] std::string why_not_entered(const std::string& directory, const struct ::stat& status,
                                          const Executor& who);
// "user app may not execute it (mode 0700, of root:root; chmod o+x would let it)".
[[nodiscard]] std::string why_not_executed(const struct ::stat& status, const Executor& who);

}  // namespace belfry::system
