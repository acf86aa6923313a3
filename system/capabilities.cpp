#include "system/capabilities.hpp"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

#include "text/capability_names.hpp"

namespace belfry::system {

namespace {

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

// By the system call: /proc may be hidden where this is asked.
std::optional<Sets> own_sets() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  Sets sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return std::nullopt;
  return sets;
}

}  // namespace

bool has_capability(int capability) {
  const auto sets = own_sets();
  const auto number = static_cast<unsigned>(capability);
  return !sets || (((*sets)[number / 32].effective >> (number % 32)) & 1U) != 0;
}

CapabilitySet permitted_capabilities() {
  const auto sets = own_sets();
  return sets ? CapabilitySet{(*sets)[1].permitted} << 32U | (*sets)[0].permitted : ~CapabilitySet{0};
}

CapabilitySet bounding_capabilities() {
  CapabilitySet set = 0;
  for (int number = 0; number < 64; ++number) {
    if (::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1)
      set |= CapabilitySet{1} << static_cast<unsigned>(number);
  }
  return set;
}

// belfry's own user, without the right to change groups: nothing to do.
bool changes_identity(const Identity& identity) {
  return ::geteuid() == 0 || identity.more_groups || identity.uid != ::getuid() || identity.gid != ::getgid();
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

std::string capability_name(int number) {
  const auto& names = text::capability_names;
  if (number < 0 || static_cast<std::size_t>(number) >= names.size())
    return "capability " + std::to_string(number);
  return "CAP_" + std::string(names[static_cast<std::size_t>(number)]);
}

std::string why_no_capabilities(CapabilitySet dropped, CapabilitySet ambient) {
  if ((dropped & bounding_capabilities()) != 0 && !has_capability(CAP_SETPCAP))
    return "belfry lacks CAP_SETPCAP, without which it can take none away (start it as root)";
  const CapabilitySet missing = ambient & ~permitted_capabilities();
  if (missing == 0) return {};
  return "belfry does not have all of `ambient` itself (start it as root, or with these capabilities)";
}

}  // namespace belfry::system
