// Why execve(2) refused a file: its errno alone names the wrong thing half of the time.
//
// ENOENT is also said of a script that exists and whose interpreter does not, EACCES of a directory, of a
// directory on the way, and of a file system that is mounted noexec. This looks at the file once more, after
// the failure (for a message) or ahead of a start (`belfry check`).
#pragma once

#include <string>
#include <string_view>

#include "system/execute_right.hpp"

namespace belfry::system {

// What keeps this user from executing the file at `path` (absolute, or relative to this process's working
// directory), as half a sentence: "it is a directory". Empty: nothing that can be seen from outside; and
// for a file that is missing in a directory that is there, where errno says it best. Blocks on the file
// system.
[[nodiscard]] std::string why_not_executable(const std::string& path, const Executor& who);

// What keeps this user from entering the directory at `path`; empty: nothing that can be seen.
[[nodiscard]] std::string why_not_enterable(const std::string& path, const Executor& who);

// The interpreter that the first line of a script names, without its argument; empty: it is no script.
// `crlf`: that line ends with a carriage return, which the kernel takes for a part of the name.
struct Shebang {
  std::string interpreter;
  std::string argument;
  bool crlf = false;
};
[[nodiscard]] Shebang shebang_of(std::string_view beginning);

}  // namespace belfry::system
