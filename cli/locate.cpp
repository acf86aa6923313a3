#include "cli/locate.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "config/load/load.hpp"
#include "config/model/exit_codes.hpp"
#include "daemon/host/paths.hpp"

namespace belfry::cli {
namespace {

// A file that has become wrong since its daemon was started must not hide that daemon: what is needed of it
// is its name and its control socket, and these are read as far as they can be.
std::vector<std::string> sockets_of(const std::vector<std::string>& files) {
  const config::Loaded loaded = config::load(files);
  std::string name = loaded.stack.name;
  if (name.empty()) name = std::filesystem::absolute(files.front()).parent_path().filename().string();
  return daemon::control_socket_candidates(name, loaded.stack.control.socket);
}

Expected<Client> first_that_answers(const std::vector<std::string>& sockets) {
  Expected<Client> connected = Client::connect(sockets.front());
  std::optional<Failure> denied;
  if (!connected && connected.error().exit_code == exit_code::not_permitted) denied = connected.error();
  for (std::size_t i = 1; i < sockets.size() && !connected; ++i) {
    auto next = Client::connect(sockets[i]);
    // Of several failures, one that found somebody (not permitted) says more than the usual place being
    // empty. It does not end the search: whoever is not to be believed must not hide who is.
    if (next) return next;
    if (!denied && next.error().exit_code == exit_code::not_permitted) denied = next.error();
  }
  if (!connected && denied) return std::unexpected(*denied);
  return connected;
}

Expected<Client> connect_by_files(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (::access(file.c_str(), R_OK) == 0) continue;
    return std::unexpected(
        Failure{exit_code::no_input,
                "cannot read " + file + ": " + std::error_code(errno, std::generic_category()).message(),
                "give the file that the daemon runs, or its control socket with --socket PATH"});
  }
  return first_that_answers(sockets_of(files));
}

}  // namespace

Expected<Client> connect_to_daemon(const Invocation& asked) {
  if (!asked.socket.empty()) return Client::connect(asked.socket);
  if (!asked.files.empty()) return connect_by_files(asked.files);
  if (const char* inherited = std::getenv("BELFRY_SOCKET"); inherited != nullptr && *inherited != '\0') {
    return Client::connect(inherited);
  }
  if (const auto found = config::find_file()) return connect_by_files({*found});
  return std::unexpected(
      Failure{exit_code::unavailable,
              "cannot find a running belfry: there is no belfry.yaml here and $BELFRY_SOCKET is not set",
              "go to the directory of the file, or use -c FILE or --socket PATH"});
}

}  // namespace belfry::cli
