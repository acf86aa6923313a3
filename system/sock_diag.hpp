// Asking the kernel for one socket: sock_diag(7), exact GET. Constant cost, however many sockets there are.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace belfry::system {

// Owner: whoever asks. Lifecycle: one netlink socket. Cancellation: none: the kernel answers at once.
class SockDiag {
 public:
  SockDiag();
  ~SockDiag();
  SockDiag(const SockDiag&) = delete;
  SockDiag& operator=(const SockDiag&) = delete;

  // Inodes of the sockets that listen on this TCP port (or are bound to this UDP one) on loopback or on all
  // addresses, IPv4 and IPv6, in this network namespace. Empty: nobody does.
  [[nodiscard]] std::vector<ino_t> listeners(std::uint16_t port, bool udp) const;

 private:
  [[nodiscard]] std::optional<ino_t> ask(std::uint16_t port, bool udp, bool v6) const;
  int fd_;
};

}  // namespace belfry::system
