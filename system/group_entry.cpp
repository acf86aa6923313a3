#include "system/group_entry.hpp"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace belfry::system {
namespace {

constexpr std::uint16_t read_and_write = ACL_READ | ACL_WRITE;

posix_acl_xattr_entry entry(std::uint16_t tag, std::uint16_t permissions,
                            std::uint32_t id = static_cast<std::uint32_t>(ACL_UNDEFINED_ID)) {
  return {.e_tag = htole16(tag), .e_perm = htole16(permissions), .e_id = htole32(id)};
}

// linux/posix_acl_xattr.h: a header and the entries, in the order of acl(5): by tag, then by id.
std::string access_list(std::vector<gid_t> groups) {
  std::ranges::sort(groups);
  const auto repeated = std::ranges::unique(groups);
  groups.erase(repeated.begin(), repeated.end());
  const posix_acl_xattr_header header{.a_version = htole32(POSIX_ACL_XATTR_VERSION)};
  std::string list(reinterpret_cast<const char*>(&header), sizeof header);
  const auto append = [&list](const posix_acl_xattr_entry& one) {
    list.append(reinterpret_cast<const char*>(&one), sizeof one);
  };
  append(entry(ACL_USER_OBJ, read_and_write));
  append(entry(ACL_GROUP_OBJ, 0));
  for (const gid_t group : groups) append(entry(ACL_GROUP, read_and_write, group));
  append(entry(ACL_MASK, read_and_write));
  append(entry(ACL_OTHER, 0));
  return list;
}

}  // namespace

int let_groups_in(const std::string& path, const std::vector<gid_t>& groups) {
  const std::string list = access_list(groups);
  if (::lsetxattr(path.c_str(), "system.posix_acl_access", list.data(), list.size(), 0) == 0) return 0;
  const int error = errno;
  if (groups.size() != 1) return error;
  if (::lchown(path.c_str(), static_cast<uid_t>(-1), groups.front()) != 0) return errno;
  return ::chmod(path.c_str(), 0660) == 0 ? 0 : errno;
}

std::string closed_to_group(const std::string& path, gid_t group) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
    struct stat status{};
    if (::stat(directory.c_str(), &status) != 0) return directory;
    const mode_t needed = status.st_gid == group ? S_IXGRP : S_IXOTH;
    if ((status.st_mode & needed) == 0) return directory;
  }
  return {};
}

}  // namespace belfry::system
