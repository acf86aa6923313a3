#include "client/trust.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "config/model/exit_codes.hpp"
#include "daemon/host/paths.hpp"

namespace belfry::client {
namespace {

bool is_trusted(uid_t user) { return user == 0 || user == ::geteuid(); }

std::unexpected<Failure> distrust(const std::string& path, const std::string& why, std::string next_step) {
  return std::unexpected(Failure{exit_code::not_permitted,
                                 "cannot trust what answers at " + path + ": " + why, std::move(next_step)});
}

}  // namespace

ucred peer_of(int descriptor) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return {0, static_cast<uid_t>(-1), 0};
  return peer;
}

Expected<void> check_trusted(const std::string& path, const ucred& peer) {
  const std::string other = "user " + std::to_string(peer.uid);
  if (!is_trusted(peer.uid)) {
    return distrust(path,
                    "process " + std::to_string(peer.pid) + " of " + other + ", who is neither root nor you",
                    "run this as that user if that is your belfry, else remove the socket");
  }
  if (auto safe = daemon::check_control_directory(path); !safe)
    return distrust(path, safe.error().text(), "");
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0 && !is_trusted(status.st_uid)) {
    return distrust(path,
                    "it belongs to user " + std::to_string(status.st_uid) + ", who is neither root nor you",
                    "remove it, and start belfry anew");
  }
  return {};
}

Expected<void> check_trusted(const std::string& path, int descriptor) {
  return check_trusted(path, peer_of(descriptor));
}

}  // namespace belfry::client
