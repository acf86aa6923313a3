#include "probes/listen_watch/ear.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "probes/listen_watch/rhythm.hpp"

namespace belfry::probes {

namespace {

constexpr std::size_t most_copies = 4;  // a service with several doors calls for them in a row

int option_of(int fd, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  explicit Address(int fd) {
    length = sizeof storage;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) length = 0;
  }
  [[nodiscard]] bool is_internet() const {
    return storage.ss_family == AF_INET || storage.ss_family == AF_INET6;
  }
  [[nodiscard]] std::uint16_t port() const {
    if (storage.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
    if (storage.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
    return 0;
  }
  // As it was spelled when it was bound; empty: has none.
  [[nodiscard]] std::string path() const {
    constexpr auto head = offsetof(sockaddr_un, sun_path);
    if (storage.ss_family != AF_UNIX || length <= head) return {};
    std::string name(reinterpret_cast<const sockaddr_un&>(storage).sun_path, length - head);
    if (name.front() == '\0') {
      name.front() = '@';
    } else {
      name.resize(std::min(name.size(), name.find('\0')));
    }
    return name;
  }
};

}  // namespace

ListenEar::~ListenEar() {
  close_judged();
  for (const Copy& copy : copies_) ::close(copy.fd);
}

// Once, while the caller stands still: while listen(2) runs, getsockname(2) would wait for it.
ListenEar::Copy ListenEar::describe(int fd) {
  const Address address(fd);
  Copy copy{.fd = fd,
            .looks = 0,
            .protocol = 0,
            .is = {.port = address.port(), .udp = false, .path = address.path()}};
  if (address.is_internet()) {
    const int protocol = option_of(fd, SO_PROTOCOL);
    copy.protocol = protocol == IPPROTO_MPTCP ? IPPROTO_TCP : protocol;  // Go listens with it by default
  }
  copy.is.udp = copy.protocol == IPPROTO_UDP;
  return copy;
}

// A UDP socket gets its port by the very call that was caught.
bool ListenEar::could_be(const Copy& copy, const Awaited& what) {
  if (what.is_path()) return copy.is.path == what.path;
  if (copy.protocol != (what.udp ? IPPROTO_UDP : IPPROTO_TCP)) return false;
  return copy.is.port == what.port || (what.udp && copy.is.port == 0);
}

bool ListenEar::is_done(Copy& copy) {
  if (!copy.is.udp) return option_of(copy.fd, SO_ACCEPTCONN) == 1;
  copy.is.port = Address(copy.fd).port();
  return copy.is.port != 0;
}

void ListenEar::no_longer(const Awaited& what) {
  if (const auto it = std::ranges::find(awaited_, what); it != awaited_.end()) awaited_.erase(it);
  std::erase_if(copies_, [&](const Copy& copy) {
    if (is_wanted(copy)) return false;
    close_afterwards(copy.fd);
    return true;
  });
}

bool ListenEar::is_wanted(const Copy& copy) const {
  return std::ranges::any_of(awaited_, [&](const Awaited& what) { return could_be(copy, what); });
}

bool ListenEar::caught(const system::CaughtCall& call) {
  const bool interesting = take(call);
  has_heard_ = has_heard_ || interesting;
  return interesting;
}

void ListenEar::forget(const system::CaughtCall& call) {
  std::erase_if(copies_, [&](const Copy& copy) {
    if (copy.fd != call.socket) return false;
    ::close(copy.fd);
    return true;
  });
}

bool ListenEar::take(const system::CaughtCall& call) {
  if (call.kind == system::CaughtCall::Kind::io_uring) {
    const bool news = !std::exchange(uses_io_uring_, true);
    return news && is_wanted();
  }
  const bool bound = call.kind == system::CaughtCall::Kind::bind;
  const auto alike = [&](const Awaited& what) { return what.udp == bound; };
  if (call.socket < 0) return std::ranges::any_of(awaited_, alike);  // nothing speaks against it
  Copy copy = describe(call.socket);
  if (copy.is.udp == bound && is_wanted(copy)) {
    keep(std::move(copy));
    return true;
  }
  ::close(copy.fd);
  // A unix socket may have been bound by another spelling of the path.
  const auto is_path = [](const Awaited& what) { return what.is_path(); };
  return !bound && copy.protocol == 0 && std::ranges::any_of(awaited_, is_path);
}

void ListenEar::keep(Copy copy) {
  if (copies_.size() == most_copies) {
    ::close(copies_.front().fd);
    copies_.erase(copies_.begin());
  }
  copies_.push_back(std::move(copy));
}

void ListenEar::close_afterwards(int fd) {
  judged_.push_back(fd);
  if (!sweep_.linked()) loop_.wake_afterwards(sweep_);
}

void ListenEar::close_judged() {
  for (const int fd : judged_) ::close(fd);
  judged_.clear();
}

ListenEar::Verdict ListenEar::judge(const Awaited& what) {
  Verdict verdict = Verdict::unknown;
  std::erase_if(copies_, [&](Copy& copy) {
    if (verdict == Verdict::listens || !could_be(copy, what)) return false;
    const bool done = is_done(copy);
    if (done && could_be(copy, what)) {
      verdict = Verdict::listens;
    } else if (done && is_wanted(copy)) {
      return false;  // another probe's
    } else if (!done && ++copy.looks < looks_at_copy) {
      verdict = Verdict::not_yet;
      return false;
    }
    close_afterwards(copy.fd);
    return true;
  });
  return verdict;
}

}  // namespace belfry::probes
