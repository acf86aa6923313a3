// A process that is not our child, held by a descriptor of the kernel's (pidfd_open(2)).
//
// As long as the handle is there, a signal that is sent through it reaches that process or nobody, although
// somebody else may have been given its number meanwhile; and its end can be waited for, although it is
// somebody else's to reap.
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <utility>

#include "channels/time/time.hpp"
#include "system/or_errno.hpp"
#include "system/owned_fd.hpp"
#include "system/process.hpp"

namespace belfry::system {

class ProcessHandle {
 public:
  // ESRCH: there is no such process.
  static OrErrno<ProcessHandle> open(pid_t pid);

  // Readable (poll(2), epoll(7)) once the last thread of the process has exited. Borrowed.
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  [[nodiscard]] bool has_ended() const;
  // One that asks to end (system::asks_to_end()) is followed by SIGCONT. False: the process is gone.
  [[nodiscard]] bool signal(int signo) const;
  // How it has ended, when it is our child by now (an orphan comes to us) and not reaped yet: it stays for
  // the reaper to take.
  [[nodiscard]] std::optional<ExitStatus> peek_status() const;

 private:
  explicit ProcessHandle(int fd) : fd_(fd) {}
  [[nodiscard]] bool send(int signo) const;

  OwnedFd fd_;
};

// Blocks until one of them has ended, or for so long; not at all when there is none. For a time at which
// there is no loop.
void wait_until_one_has_ended(std::span<const ProcessHandle> processes, Duration patience);

}  // namespace belfry::system
