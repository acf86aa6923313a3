#include "config/decode/free_ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace belfry::config {

FreePorts::~FreePorts() {
  for (const int socket : sockets_) ::close(socket);
}

std::optional<std::uint16_t> FreePorts::take() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return std::nullopt;
  sockets_.push_back(socket);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  // bind and getsockname take the generic type (socket(7)).
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return std::nullopt;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) return std::nullopt;
  return ntohs(address.sin_port);
}

}  // namespace belfry::config
