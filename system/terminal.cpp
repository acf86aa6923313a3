#include "system/terminal.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace belfry::system {

namespace {

bool is_there() {
  const int fd = ::open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  ::close(fd);
  return true;
}

}  // namespace

ControllingTerminal::ControllingTerminal() : there_was_one_(is_there()) {}

bool ControllingTerminal::is_lost(const SignalEvent& hangup) const {
  if (hangup.from_kernel) return true;
  const bool passed_on = hangup.sender != 0 && (hangup.sender == ::getsid(0) || hangup.sender == ::getppid());
  return passed_on && there_was_one_ && !is_there();
}

bool outlives_its_terminal() { return sigismember(&SignalBlock::entry().ignored, SIGHUP) == 1; }

}  // namespace belfry::system
