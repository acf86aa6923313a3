#include "system/inherited_descriptors.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <utility>

#include "system/process_identity.hpp"

namespace belfry::system {

namespace {

constexpr int first_passed = 3;
// Beyond any limit of descriptors that a service manager could have passed so many under.
constexpr int most_passed = 1 << 20;

template <class Number>
std::optional<Number> number_of(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  Number value{};
  const auto [rest, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool is_all = rest == text->data() + text->size();
  return error == std::errc() && is_all ? std::optional(value) : std::nullopt;
}

std::optional<std::string_view> variable(const char* name) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::optional<std::string_view>(text) : std::nullopt;
}

// Where pidfds had no file system of their own, all of them had the same inode.
std::uint64_t own_pidfd_id() {
  constexpr auto magic_of_pidfs = 0x50494446;
  const OwnedFd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  struct statfs system{};
  struct stat status{};
  if (!self || ::fstatfs(self.get(), &system) != 0 || system.f_type != magic_of_pidfs) return 0;
  return ::fstat(self.get(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

ListenVariables ListenVariables::of_this_process() {
  return {.pid = variable("LISTEN_PID"),
          .pidfd_id = variable("LISTEN_PIDFDID"),
          .count = variable("LISTEN_FDS"),
          .names = variable("LISTEN_FDNAMES")};
}

ProcessNumbers ProcessNumbers::of_this_process() { return {.pid = own_pid(), .pidfd_id = own_pidfd_id()}; }

std::vector<std::string> inherited_names(const ListenVariables& said, const ProcessNumbers& self) {
  const int count = number_of<int>(said.count).value_or(0);
  if (number_of<pid_t>(said.pid) != self.pid || count <= 0 || count > most_passed) return {};
  if (said.pidfd_id && self.pidfd_id != 0 && number_of<std::uint64_t>(said.pidfd_id) != self.pidfd_id)
    return {};
  std::vector<std::string> names;
  std::optional<std::string_view> rest = said.names;
  while (std::cmp_less(names.size(), count)) {
    const std::string_view name = rest ? rest->substr(0, rest->find(':')) : std::string_view();
    names.emplace_back(name.empty() ? "unknown" : name);
    if (rest && name.size() < rest->size())
      rest->remove_prefix(name.size() + 1);
    else
      rest.reset();
  }
  return names;
}

std::vector<InheritedDescriptor> take_inherited_descriptors() {
  const ListenVariables said = ListenVariables::of_this_process();
  if (!said.count) return {};
  std::vector<InheritedDescriptor> taken;
  int fd = first_passed;
  for (std::string& name : inherited_names(said, ProcessNumbers::of_this_process())) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags < 0) break;  // there are fewer than was said
    ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    taken.push_back({.fd = OwnedFd(fd++), .name = std::move(name)});
  }
  return taken;
}

}  // namespace belfry::system
