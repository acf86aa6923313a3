// Which socket that was: what is left of it when its descriptor may not be kept.
//
// As long as anybody has a copy of a socket open, its address stays taken. So a copy of another process's
// socket is only ever read, and closed before that process can go on; from then on the kernel is asked for it
// by name (system/sock_diag.hpp).
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>

namespace belfry::system {

struct SocketIdentity {
  enum class Protocol : std::uint8_t { none, tcp, mptcp, udp };  // none: no socket of the internet

  std::uint64_t cookie = 0;   // the kernel's, never given to another socket
  std::uint64_t network = 0;  // of its network namespace, see own_network(); 0: the kernel does not say
  ino_t inode = 0;            // where it tells more than the cookie: unix sockets and MPTCP; else 0
  Protocol protocol = Protocol::none;
  // Where it is bound; a port of 0: nowhere yet.
  bool v6 = false;
  std::uint16_t port = 0;
  std::uint32_t interface = 0;             // of a link-local address; 0: any
  std::array<std::uint32_t, 4> address{};  // network order; IPv4 in the first one
  // Of a unix socket, as it was spelled when it was bound; a leading @ names an abstract one.
  std::string path;

  [[nodiscard]] bool is_udp() const { return protocol == Protocol::udp; }
};

// Reads the descriptor and leaves it open. While its owner is within listen(2), this would wait for it.
[[nodiscard]] SocketIdentity identify(int fd);

// belfry's own network namespace, as SocketIdentity::network names it. 0: Linux before 5.14.
[[nodiscard]] std::uint64_t own_network();

}  // namespace belfry::system
