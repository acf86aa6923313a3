#include "system/address_check.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "system/numeric_address.hpp"
#include "system/owned_fd.hpp"

namespace belfry::system {

int why_not_bindable(bool udp, const std::string& address, std::uint16_t port) {
  const std::string host = address == "localhost" ? "127.0.0.1" : address;
  auto found = numeric_address(AF_INET, host, port);
  if (!found) found = numeric_address(AF_INET6, host, port);
  if (!found) return 0;
  const OwnedFd fd(::socket(found->family(), (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
  if (!fd) return 0;
  const int on = 1;
  if (!udp) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return ::bind(fd.get(), found->get(), found->size) == 0 ? 0 : errno;
}

}  // namespace belfry::system
