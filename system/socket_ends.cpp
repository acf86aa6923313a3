#include "system/socket_ends.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

namespace belfry::system {

namespace {

constexpr std::size_t message_begins = NLMSG_HDRLEN;
constexpr std::size_t cookie_at = message_begins + offsetof(inet_diag_msg, id.idiag_cookie);
constexpr std::size_t remote_port_at = message_begins + offsetof(inet_diag_msg, id.idiag_dport);
constexpr std::size_t most_instructions = BPF_MAXINSNS;

sock_filter statement(int code, std::uint32_t value) {
  return {.code = static_cast<std::uint16_t>(code), .jt = 0, .jf = 0, .k = value};
}
sock_filter unless_equal_skip_one(std::uint32_t value) {
  return {.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 1, .k = value};
}
constexpr std::uint32_t whole = 0xffffffff;

// By the lower half of the cookie; a filter loads numbers as they are on the wire. With more sockets than it
// has room for it lets all pass that are no connections.
std::vector<sock_filter> filter_for(std::span<const std::uint64_t> cookies) {
  std::vector<sock_filter> code;
  if (2 * cookies.size() + 2 > most_instructions) {
    code.push_back(statement(BPF_LD | BPF_H | BPF_ABS, remote_port_at));
    code.push_back(unless_equal_skip_one(0));
    code.push_back(statement(BPF_RET | BPF_K, whole));
  } else {
    code.push_back(statement(BPF_LD | BPF_W | BPF_ABS, cookie_at));
    for (const std::uint64_t cookie : cookies) {
      code.push_back(unless_equal_skip_one(htonl(static_cast<std::uint32_t>(cookie))));
      code.push_back(statement(BPF_RET | BPF_K, whole));
    }
  }
  code.push_back(statement(BPF_RET | BPF_K, 0));
  return code;
}

}  // namespace

SocketEnds::~SocketEnds() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> SocketEnds::open() {
  fd_ = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
  if (fd_ < 0) return std::unexpected(Error::from_errno(errno, "cannot hear of sockets that end"));
  if (auto nothing = watch({}); !nothing) return nothing;
  sockaddr_nl own{};
  own.nl_family = AF_NETLINK;
  own.nl_groups = 1U << (SKNLGRP_INET_TCP_DESTROY - 1) | 1U << (SKNLGRP_INET_UDP_DESTROY - 1) |
                  1U << (SKNLGRP_INET6_TCP_DESTROY - 1) | 1U << (SKNLGRP_INET6_UDP_DESTROY - 1);
  if (::bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0)
    return std::unexpected(Error::from_errno(errno, "cannot hear of sockets that end"));
  return {};
}

Result<void> SocketEnds::watch(std::span<const std::uint64_t> cookies) {
  std::vector<sock_filter> code = filter_for(cookies);
  const sock_fprog program{.len = static_cast<unsigned short>(code.size()), .filter = code.data()};
  if (::setsockopt(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0) return {};
  return std::unexpected(Error::from_errno(errno, "cannot filter what is heard of sockets that end"));
}

std::optional<std::uint64_t> SocketEnds::next() {
  alignas(nlmsghdr) std::array<char, 4096> message;
  for (;;) {
    const ssize_t got = ::recv(fd_, message.data(), message.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == ENOBUFS ? std::optional<std::uint64_t>(0) : std::nullopt;
    const auto* header = reinterpret_cast<const nlmsghdr*>(message.data());
    if (!NLMSG_OK(header, static_cast<unsigned>(got)) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) continue;
    inet_diag_msg socket{};
    std::memcpy(&socket, NLMSG_DATA(header), sizeof socket);
    return socket.id.idiag_cookie[0] | static_cast<std::uint64_t>(socket.id.idiag_cookie[1]) << 32;
  }
}

}  // namespace belfry::system
