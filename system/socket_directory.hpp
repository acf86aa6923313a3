// The directory that belfry's notify sockets lie in, and credentials of services (private_files.hpp).
#pragma once

#include <string>

#include "channels/error.hpp"
#include "system/owned_fd.hpp"

namespace belfry::system {

// A fresh directory for one daemon's life, 0711: services of other users pass through it, nobody lists it.
//
// A lock (flock(2)) on a file inside says that its daemon lives. What a daemon that was killed has left
// behind can be locked by somebody else: that is how the next one finds it, and removes it.
// Owner: the NotifyRouter. Lifecycle: make(), then removed by the destructor; its sockets must be gone by
// then. Cancellation: it never waits.
class SocketDirectory {
 public:
  SocketDirectory() = default;
  ~SocketDirectory();
  SocketDirectory(const SocketDirectory&) = delete;
  SocketDirectory& operator=(const SocketDirectory&) = delete;

  // In $XDG_RUNTIME_DIR, /run, /dev/shm, $TMPDIR or /tmp, memory first; in a root that has none of them, in
  // /.
  Result<void> make();
  // The same below `place` only. Removes what dead daemons of this user have left there.
  Result<void> make_below(const std::string& place);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  OwnedFd lock_;
};

// 96 random bits: whoever was not told the name of a socket cannot find it in a directory that it may not
// list.
[[nodiscard]] std::string unguessable_name();

}  // namespace belfry::system
