// A socket that belfry binds and keeps, and hands to a service when it runs (socket activation,
// sd_listen_fds(3)): to bind and to serve are two steps.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "channels/error.hpp"
#include "system/owned_fd.hpp"
#include "system/syscalls.hpp"

namespace belfry::system {

// What to bind. Plain values: users are looked up by whoever fills it in.
struct SocketPlan {
  enum class Kind : std::uint8_t { tcp, udp, unix_stream };
  Kind kind = Kind::tcp;
  std::string address;  // IPv4, IPv6, `localhost` or `*`; of a unix socket its path, `@name` when abstract
  std::uint16_t port = 0;
  std::optional<mode_t> mode{};  // of the socket file; unset: 0666 minus the umask
  std::optional<uid_t> owner{};
  std::optional<gid_t> group{};
  std::optional<int> backlog{};  // connections that may wait to be accepted; unset: the system's maximum
  bool v6only = false;           // an IPv6 socket takes no IPv4 connections
  bool reuse_port = false;       // others may bind the same port

  // As the file writes it: "127.0.0.1:80", "udp:[::]:53", "unix:/run/app.sock".
  [[nodiscard]] std::string text() const;
};

// Who has a socket open as well, and lives longer than its owner.
class SocketKeeper {
 public:
  virtual ~SocketKeeper() = default;
  // The owner is about to close it. True: clients are still to find it, so its file stays.
  virtual bool let_go(int fd) = 0;
};

// Owner: whoever bound it; moved, never copied.
// Lifecycle: bound (and listening, unless UDP) from bind() to the destructor, which closes it and unlinks
//   its file, if that is still its own. Children that were given it keep it open.
class ActivationSocket {
 public:
  // A socket file that nobody answers at any more is replaced; one that somebody answers at, or a file of
  // another kind, is left alone. The file has its mode and owner from the first moment at which anybody can
  // connect, and nothing that others put in its place gets them. The error says "cannot listen on …", why, by
  // whom, and what to do.
  static Result<ActivationSocket> bind(const SocketPlan& plan, Syscalls& syscalls = Syscalls::real());

  // A socket that is bound as the plan says already. One `of_belfry` gets the plan's backlog, and takes its
  // file along in the end; of somebody else's neither is touched.
  enum class Origin : std::uint8_t { of_belfry, of_somebody_else };
  static ActivationSocket adopt(OwnedFd fd, const SocketPlan& plan, Origin origin);

  ActivationSocket(ActivationSocket&& other) noexcept;
  ActivationSocket& operator=(ActivationSocket&& other) noexcept;
  ~ActivationSocket();

  [[nodiscard]] int fd() const { return fd_; }
  // Borrowed; it must outlive the socket.
  void keep_by(SocketKeeper& keeper) { keeper_ = &keeper; }
  // False when its path was removed or leads to another socket by now: clients do not find it any more.
  [[nodiscard]] bool is_reachable() const;
  // As systemd hands sockets out (NonBlocking=no). The flag belongs to the open file and not to the
  // descriptor, so the last holder's choice would be the next one's surprise.
  void make_blocking() const;

 private:
  explicit ActivationSocket(int fd) : fd_(fd) {}
  static Result<ActivationSocket> bind_inet(const SocketPlan& plan, Syscalls& syscalls);
  static Result<ActivationSocket> bind_unix(const SocketPlan& plan, Syscalls& syscalls);
  // Which file is its own; gives it to its owner.
  Result<void> remember_file(const SocketPlan& plan);

  int fd_ = -1;
  SocketKeeper* keeper_ = nullptr;  // null: nobody else has it
  std::string path_;                // of its file; empty: it has none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace belfry::system
