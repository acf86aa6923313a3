#include "daemon/upward.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace belfry::daemon {

Upward::Upward() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || (path[0] != '/' && path[0] != '@') || std::strlen(path) >= sizeof address.sun_path)
    return;
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path);
  if (path[0] == '@') address.sun_path[0] = '\0';
  fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const auto length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path) + (path[0] == '@' ? 0 : 1));
  if (fd_ >= 0 && ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    ::close(fd_);
    fd_ = -1;
  }
}

Upward::~Upward() {
  if (fd_ >= 0) ::close(fd_);
}

void Upward::tell(std::string_view message) const {
  if (fd_ >= 0) (void)::send(fd_, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace belfry::daemon
