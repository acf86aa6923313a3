#include "system/local_datagrams.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace belfry::system {

namespace {
constexpr int larger_buffer = 8 << 20;  // as systemd's own clients ask for; the kernel grants what it may
}

int LocalDatagrams::connect() {
  if (socket_) return 0;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  OwnedFd made(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!made) return errno;
  ::setsockopt(made.get(), SOL_SOCKET, SO_SNDBUF, &larger_buffer, sizeof larger_buffer);
  if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return errno;
  socket_ = std::move(made);
  return 0;
}

int LocalDatagrams::sent(long result) {
  if (result >= 0) return 0;
  const int error = errno;
  if (error == ECONNREFUSED || error == ENOTCONN || error == ECONNRESET) socket_.close();
  return error;
}

int LocalDatagrams::send(std::string_view datagram) {
  const bool was_open = static_cast<bool>(socket_);
  if (const int error = connect(); error != 0) return error;
  const int error = sent(::send(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL));
  return error != 0 && was_open && !socket_ ? send(datagram)
                                            : error;  // somebody else may listen there by now
}

int LocalDatagrams::send_in_memory(std::string_view datagram) {
  if (const int error = connect(); error != 0) return error;
  const OwnedFd file(::memfd_create("belfry-line", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return errno;
  for (std::string_view rest = datagram; !rest.empty();) {
    const ssize_t n = ::write(file.get(), rest.data(), rest.size());
    if (n < 0) return errno;
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return errno;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
  msghdr message{};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int descriptor = file.get();
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  return sent(::sendmsg(socket_.get(), &message, MSG_NOSIGNAL));
}

}  // namespace belfry::system
