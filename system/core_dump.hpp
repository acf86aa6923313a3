// Where the kernel puts the memory of a process that it ends with a core dump (core(5)).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace belfry::system {

struct CoreDump {
  pid_t pid = 0;
  int signo = 0;
  bool dumped = false;             // what wait(2) says of it
  std::string_view working_dir{};  // where the process was started; empty: where belfry is
  bool may_dump = true;            // its limit of the size of a core is not 0
};

// `pattern`: the content of /proc/sys/kernel/core_pattern, `with_pid` that of core_uses_pid. Half a sentence:
// "the core is /srv/db/core.4711", "the core was handed to /usr/lib/systemd/systemd-coredump (coredumpctl
// info 4711)"; of a signal that dumps core where there is none, why not. Empty: there is nothing to say.
// Looks whether the file is there.
[[nodiscard]] std::string where_the_core_is(const CoreDump& dump, std::string_view pattern, bool with_pid);
// The same with what the kernel says now.
[[nodiscard]] std::string where_the_core_is(const CoreDump& dump);

// Whether belfry, and who inherits its limit, may leave a core of any size.
[[nodiscard]] bool may_dump_core();

// Whether the default action of this signal is to dump core (signal(7)).
[[nodiscard]] bool dumps_core(int signo);

}  // namespace belfry::system
