// The calls that a library makes on sockets of its own (c-ares): as the kernel's, errno included, but that no
// child ever inherits a socket, that none blocks, and that a broken connection is an error and no SIGPIPE.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>

namespace belfry::system::client_socket {

[[nodiscard]] int open(int family, int type, int protocol);
int close(int fd);
[[nodiscard]] int connect(int fd, const sockaddr* to, socklen_t size);
[[nodiscard]] ssize_t receive(int fd, void* into, std::size_t size, int flags, sockaddr* from,
                              socklen_t* from_size);
[[nodiscard]] ssize_t send(int fd, const iovec* parts, int count);

}  // namespace belfry::system::client_socket
