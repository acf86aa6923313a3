#include "system/sock_diag.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace belfry::system {

namespace {

constexpr std::uint32_t listening = 10;  // TCP_LISTEN of net/tcp_states.h, for unix sockets as well
constexpr unsigned misses_per_look = 256;

template <class Body>
struct Request {
  nlmsghdr header;
  Body body;
};

template <class Body>
Request<Body> request(std::uint16_t flags) {
  Request<Body> made{};
  made.header.nlmsg_len = sizeof made;
  made.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  made.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  return made;
}

ListeningSocket described(const inet_diag_msg& message) {
  ListeningSocket socket{
      .inode = message.idiag_inode,
      .uid = message.idiag_uid,
      .cookie = message.id.idiag_cookie[0] | static_cast<std::uint64_t>(message.id.idiag_cookie[1]) << 32};
  std::memcpy(socket.address.data(), message.id.idiag_src, sizeof socket.address);
  socket.port = ntohs(message.id.idiag_sport);
  return socket;
}

// The file that a unix socket is bound to, as the kernel numbers it: device numbers are not those of stat.
bool is_bound_to(const unix_diag_vfs& bound, const struct stat& file) {
  std::uint32_t device = (major(file.st_dev) << 20) | minor(file.st_dev);
  return bound.udiag_vfs_ino == static_cast<std::uint32_t>(file.st_ino) && bound.udiag_vfs_dev == device;
}

bool matches(const nlmsghdr* message, const std::string& name, const struct stat* file) {
  auto* body = static_cast<const unix_diag_msg*>(NLMSG_DATA(message));
  int left = static_cast<int>(message->nlmsg_len - NLMSG_LENGTH(sizeof *body));
  auto* attribute = reinterpret_cast<const rtattr*>(body + 1);
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    std::size_t length = RTA_PAYLOAD(attribute);
    if (attribute->rta_type == UNIX_DIAG_NAME) {
      std::string_view bound(static_cast<const char*>(RTA_DATA(attribute)), length);
      if (bound == name) return true;
    } else if (attribute->rta_type == UNIX_DIAG_VFS && file != nullptr && length >= sizeof(unix_diag_vfs)) {
      unix_diag_vfs bound{};
      std::memcpy(&bound, RTA_DATA(attribute), sizeof bound);
      if (is_bound_to(bound, *file)) return true;
    }
  }
  return false;
}

// Kernels before 5.3 do not say.
uid_t maker_of(const nlmsghdr* message) {
  auto* body = static_cast<const unix_diag_msg*>(NLMSG_DATA(message));
  int left = static_cast<int>(message->nlmsg_len - NLMSG_LENGTH(sizeof *body));
  auto* attribute = reinterpret_cast<const rtattr*>(body + 1);
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type != UNIX_DIAG_UID || RTA_PAYLOAD(attribute) < sizeof(uid_t)) continue;
    uid_t uid = 0;
    std::memcpy(&uid, RTA_DATA(attribute), sizeof uid);
    return uid;
  }
  return static_cast<uid_t>(-1);
}

}  // namespace

SockDiag::~SockDiag() {
  if (fd_ >= 0) ::close(fd_);
}

bool SockDiag::send(const void* what, std::size_t size) {
  if (fd_ < 0) fd_ = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  return fd_ >= 0 && ::send(fd_, what, size, 0) == static_cast<ssize_t>(size);
}

std::vector<ListeningSocket> SockDiag::listeners(std::uint16_t port, bool udp, bool thorough) {
  Address v4;
  Address v6{.v6 = true, .bytes = {}};
  v4.bytes[0] = htonl(INADDR_LOOPBACK);
  std::memcpy(v6.bytes.data(), &in6addr_loopback, sizeof in6addr_loopback);
  std::vector<ListeningSocket> found;
  if (thorough || port == 0) {
    for (const bool v6_too : {false, true}) list(port, udp, v6_too, found);
    return found;
  }
  for (const Address& local : {v4, v6}) {
    if (auto one = ask(port, udp, local)) found.push_back(*one);
  }
  if (!found.empty()) return found;
  if (misses_++ % misses_per_look == 0) look_up_addresses();
  for (const Address& local : others_) {
    if (auto one = ask(port, udp, local)) found.push_back(*one);
  }
  return found;
}

// The kernel leaves out what is on other ports.
void SockDiag::list(std::uint16_t port, bool udp, bool v6, std::vector<ListeningSocket>& into) {
  constexpr std::uint32_t bound = 7;  // TCP_CLOSE: what an unconnected UDP socket is in
  auto question = request<inet_diag_req_v2>(NLM_F_DUMP);
  question.header.nlmsg_seq = ++sequence_;
  question.body.sdiag_family = v6 ? AF_INET6 : AF_INET;
  question.body.sdiag_protocol = udp ? IPPROTO_UDP : IPPROTO_TCP;
  question.body.idiag_states = 1U << (udp ? bound : listening);
  question.body.id.idiag_sport = htons(port);
  if (!send(&question, sizeof question)) return;
  alignas(nlmsghdr) std::array<char, 16384> answer;
  for (;;) {
    ssize_t got = ::recv(fd_, answer.data(), answer.size(), 0);
    if (got <= 0) return;
    auto left = static_cast<unsigned>(got);
    auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
    for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_seq != sequence_) continue;
      if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return;  // done, or refused
      inet_diag_msg message{};
      std::memcpy(&message, NLMSG_DATA(header), sizeof message);
      if (port == 0 || ntohs(message.id.idiag_sport) == port) into.push_back(described(message));
    }
  }
}

void SockDiag::look_up_addresses() {
  others_.clear();
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    Address address;
    if (at->ifa_addr->sa_family == AF_INET) {
      auto* v4 = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
      if (ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET) continue;
      address.bytes[0] = v4->sin_addr.s_addr;
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      auto* v6 = reinterpret_cast<const sockaddr_in6*>(at->ifa_addr);
      if (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) || IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) continue;
      address.v6 = true;
      std::memcpy(address.bytes.data(), &v6->sin6_addr, sizeof address.bytes);
    } else {
      continue;
    }
    others_.push_back(address);
  }
  ::freeifaddrs(list);
}

// The look-up is the one an arriving packet gets, so a socket that is bound to every address is found by
// any local one. UDP wants the local end where TCP has the remote one.
std::optional<SockDiag::Answer> SockDiag::get(bool udp, const Address& local, std::uint16_t port,
                                              const End* remote) {
  auto question = request<inet_diag_req_v2>(0);
  question.header.nlmsg_seq = ++sequence_;
  question.body.sdiag_family = local.v6 ? AF_INET6 : AF_INET;
  question.body.sdiag_protocol = udp ? IPPROTO_UDP : IPPROTO_TCP;
  question.body.idiag_states = ~0U;
  auto& id = question.body.id;
  (udp ? id.idiag_dport : id.idiag_sport) = htons(port);
  std::memcpy(udp ? id.idiag_dst : id.idiag_src, local.bytes.data(), sizeof local.bytes);
  if (remote != nullptr) {
    id.idiag_dport = htons(remote->port);
    std::memcpy(id.idiag_dst, remote->address.data(), sizeof remote->address);
  }
  id.idiag_if = local.interface;
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (!send(&question, sizeof question)) return std::nullopt;

  alignas(nlmsghdr) std::array<char, 4096> answer;
  for (;;) {
    ssize_t got = ::recv(fd_, answer.data(), answer.size(), MSG_DONTWAIT);
    if (got < static_cast<ssize_t>(sizeof(nlmsghdr))) return std::nullopt;
    auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
    if (header->nlmsg_seq != sequence_) continue;  // left over from a question that was given up
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
    inet_diag_msg message{};
    std::memcpy(&message, NLMSG_DATA(header), sizeof message);
    return Answer{.socket = described(message), .state = message.idiag_state};
  }
}

std::optional<ListeningSocket> SockDiag::ask(std::uint16_t port, bool udp, const Address& local) {
  const auto answer = get(udp, local, port);
  if (!answer || (!udp && answer->state != listening)) return std::nullopt;
  return answer->socket;
}

std::optional<ListeningSocket> SockDiag::listener_at(const End& where) {
  return ask(where.port, false, {.v6 = where.v6, .bytes = where.address});
}

// The two ends of a connection are two sockets, and the answer is the other one, in whatever state, also
// before it has been accepted; its listener when it is closed again already.
bool SockDiag::is_local(const End& own, const End& other) {
  return get(false, {.v6 = other.v6, .bytes = other.address}, other.port, &own).has_value();
}

std::optional<ListeningSocket> SockDiag::find(const SocketIdentity& socket, std::uint16_t port,
                                              bool thorough) {
  if (socket.protocol != SocketIdentity::Protocol::none) return find_at(socket, port, thorough);
  if (!has_unix_listener(socket)) return std::nullopt;
  return ListeningSocket{.inode = socket.inode};
}

std::optional<ListeningSocket> SockDiag::find_at(const SocketIdentity& socket, std::uint16_t port,
                                                 bool thorough) {
  const auto is_it = [&socket](const ListeningSocket& one) {
    return socket.inode != 0 ? one.inode == socket.inode : one.cookie == socket.cookie;
  };
  std::vector<ListeningSocket> there;
  if (socket.port == 0) {
    there = listeners(port, socket.is_udp(), thorough);
  } else if (auto one = ask(port, socket.is_udp(),
                            {.v6 = socket.v6, .bytes = socket.address, .interface = socket.interface})) {
    there.push_back(*one);
    thorough = thorough || !is_it(*one);  // one of those that share the port, and they are not told apart
  }
  auto found = std::ranges::find_if(there, is_it);
  if (found == there.end() && thorough) {
    there = listeners(port, socket.is_udp(), true);
    found = std::ranges::find_if(there, is_it);
  }
  return found == there.end() ? std::nullopt : std::optional(*found);
}

std::vector<ListeningSocket> SockDiag::unix_listeners(const std::string& path) {
  std::string name = path;
  if (name.starts_with('@')) name[0] = '\0';
  struct stat file{};
  bool exists = name.front() != '\0' && ::stat(path.c_str(), &file) == 0;

  auto question = request<unix_diag_req>(NLM_F_DUMP);
  question.header.nlmsg_seq = ++sequence_;
  question.body.sdiag_family = AF_UNIX;
  question.body.udiag_states = 1U << listening;
  question.body.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_UID;
  std::vector<ListeningSocket> found;
  if (!send(&question, sizeof question)) return found;
  alignas(nlmsghdr) std::array<char, 16384> answer;
  for (;;) {
    ssize_t got = ::recv(fd_, answer.data(), answer.size(), 0);
    if (got <= 0) return found;
    auto left = static_cast<unsigned>(got);
    auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
    for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_seq != sequence_) continue;
      if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return found;  // done, or refused
      if (!matches(header, name, exists ? &file : nullptr)) continue;
      found.push_back({.inode = static_cast<const unix_diag_msg*>(NLMSG_DATA(header))->udiag_ino,
                       .uid = maker_of(header)});
    }
  }
}

bool SockDiag::has_unix_listener(const SocketIdentity& socket) {
  auto question = request<unix_diag_req>(0);
  question.header.nlmsg_seq = ++sequence_;
  question.body.sdiag_family = AF_UNIX;
  question.body.udiag_states = ~0U;
  question.body.udiag_ino = static_cast<std::uint32_t>(socket.inode);
  question.body.udiag_cookie[0] = static_cast<std::uint32_t>(socket.cookie);
  question.body.udiag_cookie[1] = static_cast<std::uint32_t>(socket.cookie >> 32);
  if (!send(&question, sizeof question)) return false;
  alignas(nlmsghdr) std::array<char, 4096> answer;
  for (;;) {
    const ssize_t got = ::recv(fd_, answer.data(), answer.size(), MSG_DONTWAIT);
    if (got < static_cast<ssize_t>(sizeof(nlmsghdr))) return false;
    auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
    if (header->nlmsg_seq != sequence_) continue;
    return header->nlmsg_type == SOCK_DIAG_BY_FAMILY &&
           static_cast<const unix_diag_msg*>(NLMSG_DATA(header))->udiag_state == listening;
  }
}

}  // namespace belfry::system
