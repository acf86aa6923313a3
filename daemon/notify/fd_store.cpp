#include "daemon/notify/fd_store.hpp"

#include <sys/epoll.h>

#include <algorithm>

#include "system/file_facts.hpp"

namespace belfry::daemon {

FdStore::Stored::~Stored() {
  if (polled) store.poller_.remove(fd.get(), *this);
}

void FdStore::Stored::on_event(std::uint32_t) { store.drop(*this); }

// The same open file is one and the same thing for whoever gets it. Where the kernel does not say, two
// descriptors count as different: the limit bounds them all the same.
bool FdStore::add(system::OwnedFd fd, std::string_view name, bool poll) {
  const auto is_same = [&fd](const auto& one) {
    return !one->gone && system::is_same_open_file(one->fd.get(), fd.get());
  };
  if (std::ranges::any_of(stored_, is_same)) return true;
  if (stored_.size() >= limit_) return false;
  auto& one = stored_.emplace_back(
      std::make_unique<Stored>(*this, std::move(fd), std::string(name.empty() ? "stored" : name)));
  // No events asked for: EPOLLHUP and EPOLLERR come anyway. What cannot be polled (a file, a memfd) stays.
  one->polled = poll && poller_.add(one->fd.get(), 0, *one).has_value();
  changed_(stored_.size());
  return true;
}

void FdStore::remove(std::string_view name) {
  for (std::size_t i = stored_.size(); i-- > 0;) {
    if (stored_[i]->name == name) drop(*stored_[i]);
  }
}

void FdStore::clear() {
  lent_ = false;
  if (stored_.empty()) return;
  stored_.clear();
  changed_(0);
}

void FdStore::drop(Stored& one) {
  if (lent_) {
    if (one.polled) poller_.remove(one.fd.get(), one);
    one.polled = false;
    one.gone = true;
    return;
  }
  std::erase_if(stored_, [&one](const auto& other) { return other.get() == &one; });
  changed_(stored_.size());
}

std::vector<NamedDescriptor> FdStore::lend() {
  lent_ = true;
  std::vector<NamedDescriptor> lent;
  lent.reserve(stored_.size());
  for (const auto& one : stored_) lent.push_back({one->fd.get(), one->name});
  return lent;
}

void FdStore::take_back() {
  lent_ = false;
  if (std::erase_if(stored_, [](const auto& one) { return one->gone; }) != 0) changed_(stored_.size());
}

}  // namespace belfry::daemon
