// The ends of sockets: sock_diag(7) has multicast groups to which the kernel tells the end of each socket of
// the internet. No right is needed to join them. The ends of unix sockets are not told.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "channels/error.hpp"

namespace belfry::system {

// Owner: whoever watches the descriptor.
// Lifecycle: one netlink socket from open() on. From then on the end of every connection of this network
//   namespace costs the kernel a message, which its filter drops: nobody is woken for the sockets of others.
class SocketEnds {
 public:
  SocketEnds() = default;
  ~SocketEnds();
  SocketEnds(const SocketEnds&) = delete;
  SocketEnds& operator=(const SocketEnds&) = delete;

  Result<void> open();
  [[nodiscard]] int descriptor() const { return fd_; }
  // From now on the ends of these are told, by the cookie of the socket, and of no others. What ended before
  // is not.
  Result<void> watch(std::span<const std::uint64_t> cookies);
  // The next one that has ended; 0: of some it is not known which. Empty: nothing is to be told.
  std::optional<std::uint64_t> next();

 private:
  int fd_ = -1;
};

}  // namespace belfry::system
