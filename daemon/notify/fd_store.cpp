#include "daemon/notify/fd_store.hpp"

#include <linux/kcmp.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace belfry::daemon {

namespace {

// The same open file description, so that both are one and the same thing for whoever gets them (kcmp(2)).
// Where the kernel does not say, they count as different: the limit bounds them all the same.
bool is_same(int a, int b) {
  const long self = ::getpid();
  return ::syscall(SYS_kcmp, self, self, KCMP_FILE, a, b) == 0;
}

}  // namespace

FdStore::Held::~Held() {
  if (polled) store.poller_.remove(fd, *this);
  ::close(fd);
}

void FdStore::Held::on_event(std::uint32_t) { store.drop(*this); }

bool FdStore::add(int fd, std::string_view name, bool poll) {
  const auto same = [fd](const auto& held) { return !held->gone && is_same(held->fd, fd); };
  if (std::ranges::any_of(held_, same)) {
    ::close(fd);
    return true;
  }
  if (held_.size() >= limit_) {
    ::close(fd);
    return false;
  }
  auto& held =
      held_.emplace_back(std::make_unique<Held>(*this, fd, std::string(name.empty() ? "stored" : name)));
  // No events asked for: EPOLLHUP and EPOLLERR come anyway. What cannot be polled (a file, a memfd) stays.
  held->polled = poll && poller_.add(fd, 0, *held).has_value();
  changed_(held_.size());
  return true;
}

void FdStore::remove(std::string_view name) {
  for (std::size_t i = held_.size(); i-- > 0;) {
    if (held_[i]->name == name) drop(*held_[i]);
  }
}

void FdStore::clear() {
  lent_ = false;
  if (held_.empty()) return;
  held_.clear();
  changed_(0);
}

void FdStore::drop(Held& held) {
  if (lent_) {
    if (held.polled) poller_.remove(held.fd, held);
    held.polled = false;
    held.gone = true;
    return;
  }
  std::erase_if(held_, [&held](const auto& one) { return one.get() == &held; });
  changed_(held_.size());
}

std::vector<NamedDescriptor> FdStore::lend() {
  lent_ = true;
  std::vector<NamedDescriptor> lent;
  lent.reserve(held_.size());
  for (const auto& held : held_) lent.push_back({held->fd, held->name});
  return lent;
}

void FdStore::take_back() {
  lent_ = false;
  if (std::erase_if(held_, [](const auto& one) { return one->gone; }) != 0) changed_(held_.size());
}

}  // namespace belfry::daemon
