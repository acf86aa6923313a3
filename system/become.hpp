// The end of a program that leaves its place to another, or dies as it was told to.
#pragma once

#include <string>
#include <vector>

namespace belfry::system {

// Replaces this process by `command` (execvp(3)), which gets the signals, and the limit of descriptors, that
// this one was started with. No SignalBlock may be alive. Returns only if that failed: the errno.
[[nodiscard]] int become(const std::vector<std::string>& command);

// Why execvp(3) has refused `program` with this errno, in words: errno alone says of a script whose
// interpreter is missing that the script is. Looks at the file once more.
[[nodiscard]] std::string why_not_run(const std::string& program, int errnum);

// Dies of the signal, so that a shell which was told as well ends its script. Returns only where a signal
// kills nobody: in the init of a PID namespace.
void die_of(int signo);

}  // namespace belfry::system
