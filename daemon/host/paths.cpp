#include "daemon/host/paths.hpp"

#include <sys/un.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "system/file_facts.hpp"
#include "system/identity.hpp"
#include "system/process_identity.hpp"

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
  return std::string(base) + "/belfry-" + std::to_string(system::own_user());
}

std::string file_name(std::string_view stack_name, std::string_view ending = ".sock") {
  std::string name(stack_name);
  std::ranges::replace(name, '/', '_');
  return name.append(ending);
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Makes the last component only: belfry's own directory, never the place that the system provides.
Result<void> make_directory(const std::string& path, Passage passage) {
  const bool was_there = system::access_error(path, system::Access::there) == 0;
  int error = system::make_own_directory(path);
  const bool is_ours = !was_there || path == "/run/belfry";
  if (error == 0 && passage == Passage::who_may_use && is_ours && path != temporary_directory())
    error = system::let_pass_through(path);
  if (error == 0) return {};
  return std::unexpected(Error::from_errno(error, "cannot make the directory " + path));
}

// In an image with nothing in it nobody provides /run but PID 1.
void provide_run() {
  if (system::own_pid() != 1 || system::access_error("/run", system::Access::there) == 0) return;
  if (system::make_own_directory("/run") == 0) (void)system::let_pass_through("/run");
}

// The temporary directory belongs to everybody: another user may have put what lies there under belfry's
// name.
Result<void> check_owned(const std::string& path) {
  const auto facts = system::facts_of_itself(path);
  if (!facts) return std::unexpected(Error::from_errno(facts.error(), "cannot look at " + path));
  if (!facts->is_directory_of_this_user_alone()) {
    return std::unexpected(
        Error(Error::Kind::refused, "cannot use " + path +
                                        ": it is not a directory that only this user may enter; "
                                        "remove it, or set control.socket"));
  }
  return {};
}

// In such a directory anybody could put a socket of his own in this one's place.
Result<void> check_not_everybodys(const std::string& path) {
  const auto facts = system::facts_of(path);
  if (!facts) return std::unexpected(Error::from_errno(facts.error(), "cannot look at " + path));
  if (!facts->lets_everybody_replace()) return {};
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

Result<std::string> prepare(const std::string& path, Place place, Passage passage = Passage::owner) {
  if (auto fits = check_length(path); !fits) return std::unexpected(fits.error());
  const std::string directory = directory_of(path);
  if (auto made = make_directory(directory, passage); !made) return std::unexpected(made.error());
  if (auto safe = check_control_directory(path); !safe) return std::unexpected(safe.error());
  if (place == Place::by_default) {
    if (auto safe = check_not_everybodys(directory); !safe) return std::unexpected(safe.error());
  }
  if (const int error = system::access_error(directory, system::Access::make_in); error != 0)
    return std::unexpected(Error::from_errno(error, "cannot make a socket in " + directory));
  return path;
}

std::string state_directory() {
  const std::string_view state = environment("XDG_STATE_HOME");
  return state.starts_with('/') ? std::string(state) + "/belfry" : "/var/lib/belfry";
}

Result<std::string> make_place_for_state(std::string_view stack_name, std::string_view ending) {
  const std::string_view state = environment("XDG_STATE_HOME");
  const std::string directory = state_directory();
  if (state.starts_with('/')) {
    // XDG Base Directory Specification: whoever writes there first makes it.
    if (auto made = make_directory(std::string(state), Passage::owner); !made)
      return std::unexpected(made.error());
  }
  if (auto made = make_directory(directory, Passage::owner); !made) return std::unexpected(made.error());
  const auto facts = system::facts_of(directory);
  if (!facts) return std::unexpected(Error::from_errno(facts.error(), "cannot look at " + directory));
  if (facts->lets_everybody_replace())
    return std::unexpected(Error(Error::Kind::refused, "cannot use " + directory +
                                                           ": everybody may replace what is in it; "
                                                           "`chmod o-w` it, or set XDG_STATE_HOME"));
  if (const int error = system::access_error(directory, system::Access::make_in); error != 0)
    return std::unexpected(Error::from_errno(error, "cannot write in " + directory));
  return directory + "/" + file_name(stack_name, ending);
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

Result<std::string> make_place_for_control_socket(std::string_view stack_name, std::string_view configured,
                                                  Passage passage) {
  if (configured.empty()) provide_run();
  std::optional<Error> last;
  for (const std::string& candidate : control_socket_candidates(stack_name, configured)) {
    auto prepared = prepare(candidate, configured.empty() ? Place::by_default : Place::configured, passage);
    if (prepared) return prepared;
    last = prepared.error();
  }
  return std::unexpected(
      last->wrap("cannot find a place for the control socket of " + std::string(stack_name)));
}

std::string place_of_history(std::string_view stack_name) {
  return state_directory() + "/" + file_name(stack_name, ".history");
}

Result<std::string> make_place_for_history(std::string_view stack_name) {
  return make_place_for_state(stack_name, ".history");
}

Result<std::string> make_place_for_boot_id(std::string_view stack_name) {
  return make_place_for_state(stack_name, ".boot");
}

Result<std::string> make_place_for_output(std::string_view stack_name, std::string_view configured) {
  if (auto state = make_place_for_state(stack_name, ".log")) return state;
  auto socket = make_place_for_control_socket(stack_name, configured);
  if (!socket) return socket;
  return directory_of(*socket) + "/" + file_name(stack_name, ".log");
}

std::vector<std::string> control_socket_directories() {
  std::vector<std::string> directories;
  for (const std::string& candidate : control_socket_candidates("x"))
    directories.push_back(directory_of(candidate));
  return directories;
}

Result<std::string> make_place_for_private_socket(std::string_view stack_name) {
  const std::string name = std::string(stack_name) + "-exec-" + std::to_string(system::own_pid());
  return prepare(temporary_directory() + "/" + file_name(name), Place::by_default);
}

}  // namespace belfry::daemon
