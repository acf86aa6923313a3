// Looking a command up as execve finds it, without running it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace belfry::system {

struct NoProgram {
  int errnum = 0;      // ENOENT: it is not there; anything else: it is there and cannot be run
  std::string reason;  // "it is not in PATH (/usr/bin:/bin)", "/srv/run is not executable"
};

// The file that `command` means, seen from belfry's own directory: a path if it has a slash, else the first
// file of that name in `path`, a PATH, that may be executed; an empty entry is the current directory. The
// interpreter that a script names in its first line has to be there, too. What is found may be gone a moment
// later: execve decides.
[[nodiscard]] std::expected<std::string, NoProgram> find_program(std::string_view command,
                                                                 std::string_view path);

}  // namespace belfry::system
