// Which process that was: its number alone does not say, because the kernel gives it to another one later.
//
// A number together with the time at which its process was started is never given twice in one life of the
// machine. It can be written down, and compared later: it holds nothing open, and keeps nobody's number
// taken. Whoever must send something to the process holds a ProcessHandle instead: between a comparison and a
// kill(2) the number can change hands.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>

namespace belfry::system {

struct ProcessIdentity {
  pid_t pid = 0;           // 0: nobody
  std::uint64_t born = 0;  // in clock ticks since the boot (proc::born_at()); 0: unknown, and never confirmed

  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

// As /proc shows it now. Empty: there is no such process, or it is not shown.
[[nodiscard]] std::optional<ProcessIdentity> identity_of(pid_t pid);

// Whether the number still names the same process, be it a zombie.
[[nodiscard]] bool is_still(const ProcessIdentity& process);

// What this machine, or this container, calls itself (gethostname(2)); empty: it has no name.
[[nodiscard]] std::string host_name();

// This process.
[[nodiscard]] inline pid_t own_pid() { return ::getpid(); }

}  // namespace belfry::system
