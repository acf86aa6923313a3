#include "system/client_socket.hpp"

#include <unistd.h>

namespace belfry::system::client_socket {

int open(int family, int type, int protocol) {
  return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

int close(int fd) { return ::close(fd); }

int connect(int fd, const sockaddr* to, socklen_t size) { return ::connect(fd, to, size); }

ssize_t receive(int fd, void* into, std::size_t size, int flags, sockaddr* from, socklen_t* from_size) {
  return ::recvfrom(fd, into, size, flags, from, from_size);
}

ssize_t send(int fd, const iovec* parts, int count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace belfry::system::client_socket
