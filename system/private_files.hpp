// Files that one service alone may read, where there is no private file system for them.
//
// They lie below the directory of the notify sockets, which lives as long as the daemon, and which the next
// one removes when this one was killed.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "channels/error.hpp"

namespace belfry::system {

inline constexpr const char* credentials_name = "credentials";

// `place`/credentials/`service`, empty, where a private file system can be mounted, or files be put.
[[nodiscard]] Result<std::string> make_credentials_directory(const std::string& place,
                                                             const std::string& service);

// Name and contents, which are borrowed.
using PrivateFiles = std::vector<std::pair<std::string, const std::string*>>;

// Puts the files there: mode 0400, owned by `uid`; the directory belongs to belfry, and `gid` may list it.
// The error does not repeat what is in them.
[[nodiscard]] Result<void> write_private_files(const std::string& directory, const PrivateFiles& files,
                                               uid_t uid, gid_t gid);

void remove_credentials_directory(const std::string& place, const std::string& service);

}  // namespace belfry::system
