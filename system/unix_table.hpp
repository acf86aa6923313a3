// Unix sockets in the network namespace of another process. Their files are reached from everywhere, while
// sock_diag(7) answers for its own namespace only.
#pragma once

#include <string>
#include <vector>

#include "system/sock_diag.hpp"

namespace belfry::system {

// Those that listen at this path, as it was spelled when they were bound; inodes only. Empty also where the
// process is gone or may not be looked at.
[[nodiscard]] std::vector<ListeningSocket> unix_listeners_seen_by(pid_t pid, const std::string& path);

}  // namespace belfry::system
