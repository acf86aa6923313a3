// A small subreaper between belfry and one isolated service: whatever the service forks stays below it.
//
//     belfry ── shim ── the service's process ── …
//                  └───── every orphan of the service, whatever it left or erased
//
// The shim is belfry's own program, exec'd by the child that has just cloned the service's process
// (spawn_child). It reports the exit of that process through a socket, reaps the others, and exits when
// nobody is left: its exit is the proof. The service's process is reaped last, so that its pid, which names
// group and session, belongs to nobody else for as long as the shim lives. When belfry is gone, the socket
// ends, and the shim kills everybody below it (on_daemon_death: kill) or goes on in silence.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "system/usage.hpp"

namespace belfry::system {

// What the shim says of the service's process, once: the two fields of siginfo_t that matter, and what it
// took.
struct ShimReport {
  std::int32_t code = 0;    // CLD_EXITED, CLD_KILLED, CLD_DUMPED
  std::int32_t status = 0;  // exit code or signal
  Usage usage{};
};

// What belfry says to the shim.
inline constexpr char kill_everybody = 'K';

// The shim's end of the socket, and the word by which a program knows that it is one (argv[1]).
inline constexpr int shim_socket = 3;
inline constexpr const char* shim_word = "--shim-of";

// Call first of all in main: when this process was started to be a shim, it is one until its end, and never
// returns.
void be_shim_if_asked(int argc, char** argv);

}  // namespace belfry::system
