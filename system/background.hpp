// A program that is started to stay when its starter has gone.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "system/or_errno.hpp"
#include "system/owned_fd.hpp"
#include "system/process.hpp"

namespace belfry::system {

// This executable once more, in a session of its own, with `output` as standard output and error and nothing
// to read. It is told to say how it is (sd_notify(3)): what comes from anybody else is not listened to.
//
// Owner: the command that waits for it. Lifecycle: one start; the process outlives this object.
// Cancellation: end() asks it to end; nothing here waits.
class Background {
 public:
  // `arguments` without the program's name. No second thread may exist.
  static OrErrno<Background> start(const std::vector<std::string>& arguments, int output);

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Readable when it has ended; when it has said something.
  [[nodiscard]] int ended() const { return process_.get(); }
  [[nodiscard]] int said() const { return messages_.get(); }
  // The next of what it has said; nothing: no more so far.
  std::optional<std::string> take_message();
  // How it has ended. Precondition: ended() is readable.
  ExitStatus status();
  void signal(int number) const;

 private:
  Background(pid_t pid, OwnedFd process, OwnedFd messages)
      : pid_(pid), process_(std::move(process)), messages_(std::move(messages)) {}

  pid_t pid_;
  OwnedFd process_, messages_;
};

}  // namespace belfry::system
