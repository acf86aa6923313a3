// belfry's terminal: whether there is one, whose turn it is there, and whether it has gone.
#pragma once

#include "system/signals.hpp"

namespace belfry::system {

// Whether a SIGHUP means that the terminal has gone, rather than "reload". Make it at the start, while the
// terminal is there.
class ControllingTerminal {
 public:
  ControllingTerminal();
  // Of a SIGHUP. The kernel sends it for nothing else; a shell, or who started us, passes on what it got when
  // the terminal had gone, while anybody else with a reload in mind may send one long after.
  [[nodiscard]] bool is_lost(const SignalEvent& hangup) const;

 private:
  bool there_was_one_;
};

// Whether a person may be looking at what is written there.
[[nodiscard]] bool is_terminal(int fd);

// Makes belfry's process group the one that the terminal listens to, again: of a command that had it and has
// ended.
void take_terminal_back(int terminal);

// Whoever started belfry ignored SIGHUP (nohup(1)): it outlives its terminal.
[[nodiscard]] bool outlives_its_terminal();

}  // namespace belfry::system
