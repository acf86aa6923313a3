// A bound, listening socket from an address as it is written in a file. Plain system calls, done once at
// start-up.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channels/error.hpp"
#include "system/socket_lock.hpp"

namespace belfry::system {

struct ListenAddress {
  bool is_unix = false;
  std::string host;             // a literal address; "*": every address of the host
  std::uint16_t port = 0;       // 0: any free one
  std::string path;             // unix
  std::vector<gid_t> groups{};  // unix: whose members may connect besides the owner and root
};

// `127.0.0.1:9600`, `[::1]:9600`, `localhost:9600`, `:9600`, `*:9600`, `unix:/path`. Names other than
// localhost are refused: looking one up would block, and what it means could change.
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text);

// A listening descriptor, non-blocking and CLOEXEC; closed, and a unix socket's file removed, with the
// object.
class ListenSocket {
 public:
  // A unix socket gets mode 0600, wider for `groups` alone (group_entry.hpp), and belongs to one process at a
  // time (socket_lock.hpp). A stale file of an earlier run is replaced; a path that somebody has is refused.
  // Errors: "cannot listen on ADDRESS: why (next step)".
  static Result<ListenSocket> bind(const ListenAddress& address);

  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&&) = delete;
  ~ListenSocket();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool is_unix() const { return is_unix_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }  // the one that was chosen; 0 for unix
  // Who had this path, lost it and still runs; 0: nobody.
  [[nodiscard]] pid_t predecessor() const { return lock_.predecessor(); }

 private:
  ListenSocket() = default;
  explicit ListenSocket(SocketLock lock) : lock_(std::move(lock)) {}
  static Result<ListenSocket> bind_tcp(const ListenAddress& address);
  static Result<ListenSocket> bind_unix(const ListenAddress& address);

  int fd_ = -1;
  std::uint16_t port_ = 0;
  bool is_unix_ = false;
  SocketLock lock_;  // unix
};

}  // namespace belfry::system
