#include "daemon/listen_ends.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/service.hpp"
#include "system/proc.hpp"

namespace belfry::daemon {

namespace {

constexpr int most_at_once = 64;  // a turn; the rest is still there in the next one

// Its end closes its sockets, and is told by itself.
bool is_ending(const Service& service) {
  return service.main_pid() != 0 && system::proc::is_exiting(service.main_pid());
}

}  // namespace

ListenEnds::~ListenEnds() {
  if (ends_.descriptor() >= 0) poller_.remove(ends_.descriptor(), *this);
}

void ListenEnds::follow(Service& service, const std::shared_ptr<probes::ListenEar>& ear) {
  std::erase_if(followed_, [&](const Followed& one) { return one.service == &service || one.ear.expired(); });
  followed_.push_back({.service = &service, .ear = ear});
  ear->keep_proofs(this);
}

void ListenEnds::proven(const probes::ListenEar& ear) {
  for (Followed& one : followed_) one.has_new_proof = one.has_new_proof || one.ear.lock().get() == &ear;
  if (!is_deaf_ && !renewal_.linked()) poller_.loop().wake_afterwards(renewal_);
}

bool ListenEnds::begin() {
  if (ends_.descriptor() >= 0) return true;
  const Result<void> opened = ends_.open();
  const Result<void> watched = opened ? poller_.add(ends_.descriptor(), EPOLLIN, *this) : opened;
  is_deaf_ = !watched;
  return !is_deaf_;
}

void ListenEnds::renew() {
  if (!begin()) return;
  std::vector<std::uint64_t> cookies;
  for (const Followed& one : followed_) {
    if (const auto ear = one.ear.lock()) std::ranges::copy(ear->proofs(), std::back_inserter(cookies));
  }
  if (!ends_.watch(cookies)) return;
  for (Followed& one : followed_) {
    if (std::exchange(one.has_new_proof, false)) one.service->was_heard();
  }
}

void ListenEnds::on_event(std::uint32_t) {
  for (int i = 0; i < most_at_once; ++i) {
    const auto cookie = ends_.next();
    if (!cookie) return;
    ended(*cookie);
  }
}

void ListenEnds::ended(std::uint64_t cookie) {
  for (const Followed& one : followed_) {
    const auto ear = one.ear.lock();
    if (ear && (cookie == 0 || ear->is_proof(cookie)) && !is_ending(*one.service)) one.service->was_heard();
  }
}

}  // namespace belfry::daemon
