// Who may listen at the path of a unix socket: one process at a time, told by a lock on a file beside it.
#pragma once

#include <sys/types.h>

#include <string>

#include "channels/error.hpp"
#include "system/owned_fd.hpp"

namespace belfry::system {

using system::OwnedFd;

// The right to the socket at `path`, for life: flock(2) on `path`.lock, which ends with the process however
// that ends. Whoever has it may replace what lies at the path. The file tells the owner's pid and, from
// bound() on, which socket is its own.
//
// An owner whose socket is no longer at the path, because somebody removed the file, can be reached by nobody
// any more. It has lost its right: the next one takes it over with a lock file of its own, and says so
// (docs/adr/0020). Everything that is read from the file or decided by it happens in the turnstile, a second
// kind of lock on the same file (fcntl(2), open file description), which is held for a few system calls only.
//
// Owner: ListenSocket. Lifecycle: take(), bound(); the destructor removes the owner's socket and the lock
// file, and nothing of anybody else's.
class SocketLock {
 public:
  // The error names who has it: "another belfry answers there (pid 4711; …)".
  static Result<SocketLock> take(const std::string& path);

  SocketLock() = default;
  SocketLock(SocketLock&& other) noexcept = default;
  SocketLock& operator=(SocketLock&&) = delete;
  ~SocketLock();

  // What lies at the path now is the owner's socket.
  void bound();
  // Somebody who lost his right and still runs; 0: nobody.
  [[nodiscard]] pid_t predecessor() const { return predecessor_; }

 private:
  SocketLock(OwnedFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  OwnedFd file_;
  std::string path_;  // of the socket
  dev_t device_ = 0;
  ino_t inode_ = 0;  // 0: not bound yet
  pid_t predecessor_ = 0;
};

}  // namespace belfry::system
