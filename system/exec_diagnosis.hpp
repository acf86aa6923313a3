// Why execve(2) refused a file: its errno alone names the wrong thing half of the time.
//
// ENOENT is also said of a script that exists and whose interpreter does not, EACCES of a directory, of a
// directory on the way, and of a file system that is mounted noexec. This looks at the file once more, after
// the failure (for a message) or ahead of a start (`belfry check`).
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>

namespace belfry::system {

// Who wants to execute it. Root may enter every directory, and needs one executable bit all the same.
struct Executor {
  uid_t uid = 0;
  std::span<const gid_t> groups = {};
};

// What keeps this user from executing the file at `path` (absolute, or relative to this process's working
// directory), as half a sentence: "it is a directory". Empty: nothing that can be seen from outside; and
// for a file that is not there, where errno says it best. Blocks on the file system.
[[nodiscard]] std::string why_not_executable(const std::string& path, const Executor& who);

// The interpreter that the first line of a script names, without its argument; empty: it is no script.
// `crlf`: that line ends with a carriage return, which the kernel takes for a part of the name.
struct Shebang {
  std::string interpreter;
  std::string argument;
  bool crlf = false;
};
[[nodiscard]] Shebang shebang_of(std::string_view beginning);

}  // namespace belfry::system
