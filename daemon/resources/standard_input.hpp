// `stdin: PATH`: a file, a device or a FIFO as a service's standard input, from its beginning in each run.
#pragma once

#include <string>

#include "channels/error.hpp"
#include "system/launch.hpp"
#include "system/owned_fd.hpp"

namespace belfry::daemon {

// Owner: the resources of a service.
// Lifecycle: open from apply() until passed() or the destructor.
// Opening never waits, not even for a FIFO that nobody writes to.
class StandardInput {
 public:
  // `what` as in config::ServiceExtras. Error kind `failed`: it can't be opened, and trying again changes
  // nothing; `system`: no descriptor is left.
  Result<void> apply(const std::string& what, system::Launch& launch);
  // The clone has been tried.
  void passed() { fd_.close(); }

 private:
  system::OwnedFd fd_;
};

}  // namespace belfry::daemon
