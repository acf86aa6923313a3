#include "daemon/host/paths.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

namespace belfry::daemon {
namespace {

constexpr std::size_t longest_path = sizeof(sockaddr_un{}.sun_path) - 1;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::string temporary_directory() {
  const std::string_view from_environment = environment("TMPDIR");
  const std::string_view base = from_environment.starts_with('/') ? from_environment : "/tmp";
  return std::string(base) + "/belfry-" + std::to_string(::geteuid());
}

std::string file_name(std::string_view stack_name) {
  std::string name(stack_name);
  std::ranges::replace(name, '/', '_');
  return name + ".sock";
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Makes the last component only: belfry's own directory, never the place that the system provides.
Result<void> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return std::unexpected(Error::from_errno(errno, "cannot make the directory " + path));
}

// The temporary directory belongs to everybody: what lies there under our name may be somebody's trap.
Result<void> check_owned(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0)
    return std::unexpected(Error::from_errno(errno, "cannot look at " + path));
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 0077U) != 0) {
    return std::unexpected(
        Error(Error::Kind::refused, "cannot use " + path +
                                        ": it is not a directory that only this user may enter; "
                                        "remove it, or set control.socket"));
  }
  return {};
}

// Without the sticky bit whoever may write may put his own socket in this one's place.
Result<void> check_not_everybodys(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0)
    return std::unexpected(Error::from_errno(errno, "cannot look at " + path));
  if ((status.st_mode & S_IWOTH) == 0 || (status.st_mode & S_ISVTX) != 0) return {};
  return std::unexpected(Error(
      Error::Kind::refused, "cannot use " + path +
                                " for a control socket: everybody may replace it there; set control.socket, "
                                "or take the right away with `chmod o-w " +
                                path + "`"));
}

Result<void> check_length(const std::string& path) {
  if (path.size() <= longest_path) return {};
  return std::unexpected(Error(Error::Kind::invalid, "cannot use the control socket " + path +
                                                         ": its path is over " +
                                                         std::to_string(longest_path) +
                                                         " bytes; set control.socket to a shorter one"));
}

enum class Place : std::uint8_t { by_default, configured };

Result<std::string> prepare(const std::string& path, Place place) {
  if (auto fits = check_length(path); !fits) return std::unexpected(fits.error());
  const std::string directory = directory_of(path);
  if (auto made = make_directory(directory); !made) return std::unexpected(made.error());
  if (auto safe = check_control_directory(path); !safe) return std::unexpected(safe.error());
  if (place == Place::by_default) {
    if (auto safe = check_not_everybodys(directory); !safe) return std::unexpected(safe.error());
  }
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    return std::unexpected(Error::from_errno(errno, "cannot make a socket in " + directory));
  }
  return path;
}

}  // namespace

Result<void> check_control_directory(const std::string& socket) {
  const std::string directory = directory_of(socket);
  return directory == temporary_directory() ? check_owned(directory) : Result<void>();
}

std::vector<std::string> control_socket_candidates(std::string_view stack_name, std::string_view configured) {
  if (!configured.empty()) return {std::string(configured)};
  std::vector<std::string> candidates;
  const std::string file = "/" + file_name(stack_name);
  if (const auto runtime = environment("XDG_RUNTIME_DIR"); runtime.starts_with('/')) {
    candidates.push_back(std::string(runtime) + "/belfry" + file);
  }
  candidates.push_back("/run/belfry" + file);
  candidates.push_back(temporary_directory() + file);
  return candidates;
}

Result<std::string> prepare_control_socket(std::string_view stack_name, std::string_view configured) {
  std::optional<Error> last;
  for (const std::string& candidate : control_socket_candidates(stack_name, configured)) {
    auto prepared = prepare(candidate, configured.empty() ? Place::by_default : Place::configured);
    if (prepared) return prepared;
    last = prepared.error();
  }
  return std::unexpected(
      last->wrap("cannot find a place for the control socket of " + std::string(stack_name)));
}

Result<std::string> prepare_private_socket(std::string_view stack_name) {
  const std::string name = std::string(stack_name) + "-exec-" + std::to_string(::getpid());
  return prepare(temporary_directory() + "/" + file_name(name), Place::by_default);
}

}  // namespace belfry::daemon
