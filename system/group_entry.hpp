// Letting the members of groups, besides its owner, use a file that only its owner could use.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace belfry::system {

// Gives these groups read and write of the file at `path`, which is the caller's, by an access control list
// (acl(5)): the owner may write one for groups that he isn't in himself, and for more than one. Where the
// file system has no such lists and there is one group, the file becomes that group's, mode 0660. 0 or errno.
[[nodiscard]] int let_groups_in(const std::string& path, const std::vector<gid_t>& groups);

// The first directory on the way to an absolute path that keeps members of the group out; empty: none does.
// Lists of directories (acl(5)) are not looked at.
[[nodiscard]] std::string closed_to_group(const std::string& path, gid_t group);

}  // namespace belfry::system
