#include "system/capabilities.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

namespace belfry::system {

// By the system call: /proc may be hidden where this is asked.
bool has_capability(int capability) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return true;
  const auto number = static_cast<unsigned>(capability);
  return ((sets[number / 32].effective >> (number % 32)) & 1U) != 0;
}

// belfry's own user, without the right to change groups: nothing to do.
bool changes_identity(const Identity& identity) {
  return ::geteuid() == 0 || identity.uid != ::getuid() || identity.gid != ::getgid();
}

std::optional<std::string> what_is_missing_to_run_as(const Identity& identity) {
  if (!changes_identity(identity)) return std::nullopt;
  const bool another_user = identity.uid != ::geteuid();
  std::vector<std::string_view> missing;
  for (const auto& [capability, name, needed] :
       {std::tuple(CAP_SETUID, std::string_view("SETUID"), another_user),
        std::tuple(CAP_SETGID, std::string_view("SETGID"), true),
        std::tuple(CAP_KILL, std::string_view("KILL"), another_user)}) {
    if (needed && !has_capability(capability)) missing.push_back(name);
  }
  if (missing.empty()) return std::nullopt;
  const std::string instead = "run belfry itself as " + identity.name;
  if (::geteuid() != 0) return "belfry does not run as root (start it as root, or " + instead + ")";
  std::string names;
  std::string options;
  for (std::size_t i = 0; i < missing.size(); ++i) {
    names += i == 0 ? "" : i + 1 == missing.size() ? " and " : ", ";
    names.append("CAP_").append(missing[i]);
    options.append(" --cap-add ").append(missing[i]);
  }
  const std::string of_kill = missing.back() == "KILL" ? ", without which it could never be stopped" : "";
  return "belfry lacks " + names + of_kill + " (as with docker run" + options + ", or " + instead + ")";
}

}  // namespace belfry::system
