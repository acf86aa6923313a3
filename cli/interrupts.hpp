// Ctrl-C and its like as something that can be waited for beside other things.
#pragma once

#include <signal.h>

namespace belfry::cli {

// Owner: a command that waits. Lifecycle: SIGINT, SIGTERM, SIGHUP and SIGWINCH are blocked as long as it
// lives, and end nobody. Cancellation: none, it never waits.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // Readable when one has come.
  [[nodiscard]] int descriptor() const { return fd_; }
  // The next one; 0: none.
  int take();

 private:
  sigset_t before_;
  int fd_;
};

}  // namespace belfry::cli
