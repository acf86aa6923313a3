#include "system/process_identity.hpp"

#include "system/proc.hpp"

namespace belfry::system {

std::optional<ProcessIdentity> identity_of(pid_t pid) {
  const auto born = proc::born_at(pid);
  return born ? std::optional(ProcessIdentity{.pid = pid, .born = *born}) : std::nullopt;
}

bool is_still(const ProcessIdentity& process) {
  return process.born != 0 && proc::born_at(process.pid) == process.born;
}

}  // namespace belfry::system
