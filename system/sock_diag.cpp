#include "system/sock_diag.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace belfry::system {

namespace {

constexpr std::uint8_t tcp_listen = 10;  // TCP_LISTEN of net/tcp_states.h

struct Request {
  nlmsghdr header;
  inet_diag_req_v2 body;
};

}  // namespace

SockDiag::SockDiag() : fd_(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {}
SockDiag::~SockDiag() {
  if (fd_ >= 0) ::close(fd_);
}

std::vector<ino_t> SockDiag::listeners(std::uint16_t port, bool udp) const {
  std::vector<ino_t> found;
  for (const bool v6 : {false, true}) {
    if (const auto inode = ask(port, udp, v6)) found.push_back(*inode);
  }
  return found;
}

// The look-up is the one an arriving packet gets, with the local end at loopback: it finds a socket that is
// bound to loopback or to every address. UDP wants the local end where TCP has the remote one.
std::optional<ino_t> SockDiag::ask(std::uint16_t port, bool udp, bool v6) const {
  Request request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.body.sdiag_family = v6 ? AF_INET6 : AF_INET;
  request.body.sdiag_protocol = udp ? IPPROTO_UDP : IPPROTO_TCP;
  request.body.idiag_states = ~0U;
  auto& id = request.body.id;
  (udp ? id.idiag_dport : id.idiag_sport) = htons(port);
  auto& local = udp ? id.idiag_dst : id.idiag_src;
  if (v6) {
    std::memcpy(local, &in6addr_loopback, sizeof in6addr_loopback);
  } else {
    local[0] = htonl(INADDR_LOOPBACK);
  }
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (::send(fd_, &request, sizeof request, 0) < 0) return std::nullopt;
  alignas(nlmsghdr) std::array<char, 4096> answer{};
  const ssize_t n = ::recv(fd_, answer.data(), answer.size(), 0);
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
  if (n < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg))) ||
      header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
    return std::nullopt;
  inet_diag_msg message{};
  std::memcpy(&message, NLMSG_DATA(header), sizeof message);
  if (!udp && message.idiag_state != tcp_listen) return std::nullopt;
  return message.idiag_inode;
}

}  // namespace belfry::system
