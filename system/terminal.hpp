// Whether a SIGHUP means that belfry's terminal has gone, rather than "reload".
#pragma once

#include "system/signals.hpp"

namespace belfry::system {

// Owner: the app. Lifecycle: made at the start, while the terminal is there. Cancellation: none.
class ControllingTerminal {
 public:
  ControllingTerminal();
  // Of a SIGHUP. The kernel sends it for nothing else; a shell, or who started us, passes on what it got when
  // the terminal had gone, while anybody else with a reload in mind may send one long after.
  [[nodiscard]] bool is_lost(const SignalEvent& hangup) const;

 private:
  bool there_was_one_;
};

// Whoever started belfry ignored SIGHUP (nohup(1)): it outlives its terminal.
[[nodiscard]] bool outlives_its_terminal();

}  // namespace belfry::system
