#include "system/free_ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

namespace belfry::system {
namespace {

// The port that the kernel chooses for `socket`, which keeps it while it is open.
std::optional<std::uint16_t> bound_port(int socket) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  // bind and getsockname take the generic type (socket(7)).
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return std::nullopt;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return std::nullopt;
  return ntohs(address.sin_port);
}

}  // namespace

std::vector<std::uint16_t> free_loopback_ports(std::size_t count) {
  std::vector<std::uint16_t> ports;
  std::vector<int> sockets;  // all of them stay open until the last port is known: no two are the same
  while (ports.size() < count) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) break;
    sockets.push_back(socket);
    const auto port = bound_port(socket);
    if (!port) break;
    ports.push_back(*port);
  }
  for (const int socket : sockets) ::close(socket);
  return ports;
}

}  // namespace belfry::system
