// The sockets that a process has open, some at a time: a process may have a million descriptors, and whoever
// looks shares its thread with others.
#pragma once

#include <dirent.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>

namespace belfry::system::proc {

// One walk through one process; nothing is found in one that is gone or may not be looked at.
class SocketWalk {
 public:
  explicit SocketWalk(pid_t pid);

  // Goes on through its descriptors, one of `budget` for each. True: one is a socket of `wanted`. False: the
  // budget is spent, or at_end().
  bool find(std::span<const ino_t> wanted, std::uint32_t& budget);
  [[nodiscard]] bool at_end() const { return directory_ == nullptr; }

 private:
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  std::unique_ptr<DIR, Close> directory_;
};

}  // namespace belfry::system::proc
