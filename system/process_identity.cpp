#include "system/process_identity.hpp"

#include <climits>

#include "system/proc.hpp"

namespace belfry::system {

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? std::string(name) : std::string();
}

std::optional<ProcessIdentity> identity_of(pid_t pid) {
  const auto born = proc::born_at(pid);
  return born ? std::optional(ProcessIdentity{.pid = pid, .born = *born}) : std::nullopt;
}

bool is_still(const ProcessIdentity& process) {
  return process.born != 0 && proc::born_at(process.pid) == process.born;
}

}  // namespace belfry::system
