#include "system/terminal.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "system/owned_fd.hpp"

namespace belfry::system {

namespace {

bool is_there() {
  return static_cast<bool>(OwnedFd(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)));
}

}  // namespace

ControllingTerminal::ControllingTerminal() : there_was_one_(is_there()) {}

bool ControllingTerminal::is_lost(const SignalEvent& hangup) const {
  if (hangup.from_kernel) return true;
  const bool passed_on = hangup.sender != 0 && (hangup.sender == ::getsid(0) || hangup.sender == ::getppid());
  return passed_on && there_was_one_ && !is_there();
}

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

void take_terminal_back(int terminal) { ::tcsetpgrp(terminal, ::getpgrp()); }

bool outlives_its_terminal() { return sigismember(&SignalBlock::entry().ignored, SIGHUP) == 1; }

}  // namespace belfry::system
