#include "daemon/host/real_host.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "system/exec_diagnosis.hpp"
#include "system/identity.hpp"
#include "system/launch.hpp"
#include "system/proc.hpp"

namespace belfry::daemon {

namespace {

std::string beginning_of(const std::string& path) {
  std::string text(256, '\0');
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  const ssize_t got = file < 0 ? -1 : ::read(file, text.data(), text.size());
  if (file >= 0) ::close(file);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

// errno of binding there, 0 if it works. The socket never listens, so nobody can connect to it.
int bind_error(bool udp, const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = udp ? SOCK_DGRAM : SOCK_STREAM;
  addrinfo* found = nullptr;
  const char* host = address == "localhost" ? "127.0.0.1" : address == "*" ? nullptr : address.c_str();
  if (::getaddrinfo(host, std::to_string(port).c_str(), &hints, &found) != 0) return 0;
  int error = 0;
  const int fd = ::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
  const int on = 1;
  // What waits in TIME_WAIT is no obstacle to a server, which sets the same option.
  if (fd >= 0 && !udp) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd >= 0 && ::bind(fd, found->ai_addr, found->ai_addrlen) != 0) error = errno;
  if (fd >= 0) ::close(fd);
  ::freeaddrinfo(found);
  return error;
}

}  // namespace

const RealHost::Person& RealHost::person(Who who) {
  std::string key(who.user);
  key.append(":").append(who.group);
  const auto [found, fresh] = people_.try_emplace(std::move(key));
  Person& person = found->second;
  if (!fresh) return person;
  person.uid = ::geteuid();
  if (who.user.empty() && who.group.empty()) return person;
  const std::string own = std::to_string(::geteuid());
  auto identity = system::find_identity(who.user.empty() ? std::string_view(own) : who.user, who.group);
  if (identity) {
    person.uid = identity->uid;
    person.groups = std::move(identity->groups);
  } else if (identity.error().errnum == 0) {
    person.why_not = "this host has no such " +
                     std::string(identity.error().detail.contains("group") ? "group" : "user") + ": " +
                     std::string(identity.error().detail.contains("group") ? who.group : who.user);
  }
  return person;
}

std::string RealHost::why_no_such_user(Who who) { return person(who).why_not; }

bool RealHost::is_file(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

std::string RealHost::why_not_executable(const std::string& path, Who who) {
  const Person& by = person(who);
  if (!by.why_not.empty()) return {};  // nobody knows what he may
  return system::why_not_executable(path, {by.uid, by.groups});
}

std::string RealHost::searched_interpreter(const std::string& path) {
  const system::Shebang first = system::shebang_of(beginning_of(path));
  const auto slash = first.interpreter.rfind('/');
  if (first.interpreter.substr(slash == std::string::npos ? 0 : slash + 1) != "env") return {};
  // Options and assignments are env's own affair.
  const bool plain = !first.argument.empty() && first.argument.find_first_of(" \t=/") == std::string::npos &&
                     !first.argument.starts_with('-');
  return plain ? first.argument : std::string();
}

std::string RealHost::why_no_directory(const std::string& path, Who who) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return "does not exist";
    return errno == ENOTDIR ? "is not a directory" : std::string(std::strerror(errno));
  }
  if (!S_ISDIR(status.st_mode)) return "is not a directory";
  const Person& by = person(who);
  if (by.uid == ::geteuid())
    return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? "" : "may not be entered";
  return {};
}

std::string RealHost::why_not_readable(const std::string& path) {
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) == 0) return {};
  return errno == ENOENT ? "does not exist" : "cannot be read: " + std::string(std::strerror(errno));
}

std::string RealHost::why_port_taken(bool udp, const std::string& address, std::uint16_t port,
                                     std::string_view stack) {
  if (!ask_for_ports_) return {};
  const auto holders = sockets_.listeners(port, udp, true);
  const int error = address.empty() ? (holders.empty() ? 0 : EADDRINUSE) : bind_error(udp, address, port);
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

}  // namespace belfry::daemon
