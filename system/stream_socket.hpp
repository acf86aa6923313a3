// Connections of a server: accepting them, and what is done with one beyond reading it through the loop.
// Nothing here waits: every call is made on a descriptor that is not blocking, or is told not to block.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "system/owned_fd.hpp"

namespace belfry::system {

// What the kernel says of the other end of a connection.
struct Peer {
  enum class Kind : std::uint8_t { unix_socket, loopback, remote } kind = Kind::remote;
  bool trusted_user = false;  // unix_socket: root or the user of this process

  // --- unix_socket: as the kernel knew him when he connected (unix(7), SO_PEERCRED and SO_PEERGROUPS)
  uid_t user = static_cast<uid_t>(-1);
  pid_t process = 0;
  std::vector<gid_t> groups{};  // of somebody who is not trusted by his user alone

  std::string address{};  // TCP: without the port
};

// The next connection in the queue, non-blocking and CLOEXEC. Empty, with errno: there is none (EAGAIN), or
// there is nothing left to make it with.
[[nodiscard]] OwnedFd accept_connection(int listener, Peer* peer = nullptr);

// For TCP: answers go out at once, and the kernel keeps no more than twice `kept` bytes of them for a peer
// that does not read; it would keep megabytes, in memory that counts as this process's.
void limit_sending(int fd, int kept);

// Sends what the socket takes now and removes it from `bytes`. False, with errno, when something is left.
[[nodiscard]] bool send_what_fits(int fd, std::string_view& bytes);

// Of a socket that is readable: true when its peer has gone, false when there are bytes to read.
[[nodiscard]] bool has_hung_up(int fd);

// Tells the peer that nothing follows; what it still sends can be read.
void end_sending(int fd);

}  // namespace belfry::system
