// Descriptors that a service manager has passed to this process at its start (sd_listen_fds(3)).
//
// The variables that tell of them outlive an exec and a fork, so they say whom they mean: by a number, which
// the kernel gives again, and where there is one (LISTEN_PIDFDID) by the inode of the process's pidfd, which
// it does not.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "system/owned_fd.hpp"

namespace belfry::system {

// As they stand in the environment; nothing: there is no such variable.
struct ListenVariables {
  std::optional<std::string_view> pid;       // LISTEN_PID
  std::optional<std::string_view> pidfd_id;  // LISTEN_PIDFDID
  std::optional<std::string_view> count;     // LISTEN_FDS
  std::optional<std::string_view> names;     // LISTEN_FDNAMES
  static ListenVariables of_this_process();
};

// A process, as those variables name one.
struct ProcessNumbers {
  pid_t pid = 0;
  std::uint64_t pidfd_id = 0;  // 0: the kernel gives no number that is never given again (before Linux 6.9)
  static ProcessNumbers of_this_process();
};

// What the descriptors from 3 up are called; empty when there are none, or when they are another process's.
// One without a name is "unknown", as sd_listen_fds_with_names(3) has it.
[[nodiscard]] std::vector<std::string> inherited_names(const ListenVariables& said,
                                                       const ProcessNumbers& self);

struct InheritedDescriptor {
  OwnedFd fd;
  std::string name;
};

// Takes over whatever was passed to this process; from then on no child inherits it. To be called once,
// before anything is forked or opened: nobody can say later whether descriptor 3 is still the one that was
// meant.
[[nodiscard]] std::vector<InheritedDescriptor> take_inherited_descriptors();

}  // namespace belfry::system
