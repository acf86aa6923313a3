#include "daemon/host/real_host.hpp"

#include <cerrno>
#include <cstring>
#include <optional>

#include "system/address_check.hpp"
#include "system/exec_diagnosis.hpp"
#include "system/file_facts.hpp"
#include "system/free_ports.hpp"
#include "system/identity.hpp"
#include "system/launch.hpp"
#include "system/open_file.hpp"
#include "system/proc.hpp"
#include "system/user_database.hpp"

namespace belfry::daemon {

namespace {

constexpr std::size_t longest_shebang = 256;  // BINPRM_BUF_SIZE of the kernel

}  // namespace

const RealHost::Account& RealHost::account(Who who) {
  std::string key(who.user);
  key.append(":").append(who.group);
  const auto [found, fresh] = accounts_.try_emplace(std::move(key));
  Account& account = found->second;
  if (!fresh) return account;
  account.uid = system::own_user();
  if (who.user.empty() && who.group.empty()) return account;
  const std::string own = std::to_string(system::own_user());
  auto identity = system::find_identity(who.user.empty() ? std::string_view(own) : who.user, who.group);
  if (identity) {
    account.uid = identity->uid;
    account.groups = std::move(identity->groups);
  } else if (identity.error().errnum == 0) {
    const bool group = identity.error().detail.starts_with("unknown group");
    account.why_not = "this host has no such ";
    account.why_not.append(group ? "group: " : "user: ").append(group ? who.group : who.user);
    account.why_not.append(system::not_looked_into());
  }
  return account;
}

std::string RealHost::why_no_such_user(Who who) { return account(who).why_not; }

bool RealHost::is_file(const std::string& path) { return system::is_regular_file(path); }

std::string RealHost::why_not_executable(const std::string& path, Who who) {
  const Account& by = account(who);
  if (!by.why_not.empty()) return {};  // what a user may do of whom nothing is known cannot be said
  return system::why_not_executable(path, {by.uid, by.groups});
}

std::string RealHost::searched_interpreter(const std::string& path) {
  const system::Shebang first = system::shebang_of(system::beginning_of(path, longest_shebang));
  const auto slash = first.interpreter.rfind('/');
  if (first.interpreter.substr(slash == std::string::npos ? 0 : slash + 1) != "env") return {};
  // Options and assignments are env's own affair.
  const bool plain = !first.argument.empty() && first.argument.find_first_of(" \t=/") == std::string::npos &&
                     !first.argument.starts_with('-');
  return plain ? first.argument : std::string();
}

std::string RealHost::why_no_directory(const std::string& path, Who who) {
  const auto facts = system::facts_of(path);
  if (!facts) {
    if (facts.error() == ENOENT) return "does not exist";
    return facts.error() == ENOTDIR ? "is not a directory" : std::string(std::strerror(facts.error()));
  }
  if (!facts->is_directory) return "is not a directory";
  const Account& by = account(who);
  if (by.uid == system::own_user())
    return system::access_error(path, system::Access::enter) == 0 ? "" : "may not be entered";
  return {};
}

std::string RealHost::why_not_readable(const std::string& path) {
  const int error = system::access_error(path, system::Access::read);
  if (error == 0) return {};
  return error == ENOENT ? "does not exist" : "cannot be read: " + std::string(std::strerror(error));
}

std::string RealHost::why_not_appendable(const std::string& path) {
  const auto facts = system::facts_of(path);
  if (facts && facts->is_directory) return "is a directory";
  if (facts) {
    const int error = system::access_error(path, system::Access::write);
    return error == 0 ? "" : "cannot be written: " + std::string(std::strerror(error));
  }
  const std::string directory = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
  const int error = system::access_error(directory, system::Access::make_in);
  if (error == 0) return {};
  return "cannot be made: " + directory +
         (error == ENOENT ? " does not exist" : ": " + std::string(std::strerror(error)));
}

std::string RealHost::why_no_socket(const std::string& path) {
  const auto facts = system::facts_of(path);
  if (!facts) return facts.error() == ENOENT ? "does not exist" : std::strerror(facts.error());
  if (!facts->is_socket()) return "is no socket";
  const int error = system::access_error(path, system::Access::write);
  return error == 0 ? "" : "cannot be written to: " + std::string(std::strerror(error));
}

std::string RealHost::why_port_taken(bool udp, const std::string& address, std::uint16_t port,
                                     std::string_view stack) {
  if (!ask_for_ports_) return {};
  const auto holders = sockets_.listeners(port, udp, true);
  const int error =
      address.empty() ? (holders.empty() ? 0 : EADDRINUSE) : system::why_not_bindable(udp, address, port);
  if (error == 0) return {};
  if (error != EADDRINUSE) return std::strerror(error);
  std::vector<ino_t> inodes;
  inodes.reserve(holders.size());
  for (const system::ListeningSocket& one : holders) inodes.push_back(one.inode);
  const auto holder = system::proc::holder_of(inodes, std::chrono::seconds(1));
  if (!holder) return "somebody has it";
  const auto service = system::proc::variable_of(holder->pid, "BELFRY_SERVICE");
  if (service && service->starts_with(std::string(stack) + "/")) return {};
  if (!service && holder->name == "belfry") return {};  // its own: `listen` of a stack that runs
  return holder->name + " (" + std::to_string(holder->pid) + ") has it" +
         (service ? ", which is the service " + *service : "");
}

std::string_view RealHost::default_path() const { return system::default_path; }

std::vector<std::uint16_t> free_ports(std::size_t count) { return system::free_loopback_ports(count); }

}  // namespace belfry::daemon
