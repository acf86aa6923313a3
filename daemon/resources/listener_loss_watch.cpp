#include "daemon/resources/listener_loss_watch.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "system/proc.hpp"

namespace belfry::daemon {

namespace {

// What a filter costs grows with the sockets in it, so the time that new ones are gathered for does as well:
// a stack of a thousand that comes up spends less than a hundredth of its time on filters.
constexpr Duration coalescing = std::chrono::milliseconds(5);
constexpr Duration coalescing_for_each = std::chrono::microseconds(100);
constexpr int most_at_once = 64;  // a turn; the rest is still there in the next one

// A process that ends closes its sockets, and its end is told by itself.
bool is_ending(const ServiceEvents& service) {
  return service.facts().main != 0 && system::proc::is_exiting(service.facts().main);
}

}  // namespace

ListenerLossWatch::~ListenerLossWatch() {
  if (ends_.descriptor() >= 0) poller_.remove(ends_.descriptor(), *this);
}

void ListenerLossWatch::follow(ServiceEvents& service,
                               const std::shared_ptr<probes::ListenMonitor>& monitor) {
  std::erase_if(followed_, [&](const auto& one) { return one.second == &service || one.first.expired(); });
  followed_.emplace_back(monitor, &service);
  monitor->tell_proofs_to(this);
}

// The proof is about to ring a bell, and whatever else there is to do waits until that is done.
void ListenerLossWatch::proven(const probes::ListenMonitor& monitor) {
  if (is_unavailable_) return;
  news_.push_back(&monitor);
  if (renewal_timer_.armed() || renewal_.linked()) return;
  const auto watched = static_cast<std::int64_t>(listeners_.size());
  renewal_timer_.arm(poller_.loop().now() + coalescing + watched * coalescing_for_each,
                     [this] { poller_.loop().wake_afterwards(renewal_); });
}

void ListenerLossWatch::take_news() {
  for (const auto& [weak, service] : followed_) {
    const auto monitor = weak.lock();
    if (std::ranges::find(news_, monitor.get()) == news_.end()) continue;
    std::erase_if(listeners_, [&](const Listener& one) { return one.service == service; });
    for (const std::uint64_t cookie : monitor->proofs())
      listeners_.push_back({.cookie = cookie, .service = service});
    renewed_.push_back(service);
  }
  news_.clear();
}

bool ListenerLossWatch::begin() {
  if (ends_.descriptor() >= 0) return true;
  const Result<void> opened = ends_.open();
  const Result<void> watched = opened ? poller_.add(ends_.descriptor(), EPOLLIN, *this) : opened;
  is_unavailable_ = !watched;
  return !is_unavailable_;
}

void ListenerLossWatch::renew() {
  if (!begin()) return;
  take_news();
  std::vector<std::uint64_t> cookies;
  std::ranges::transform(listeners_, std::back_inserter(cookies), &Listener::cookie);
  if (!ends_.watch(cookies)) return;
  for (ServiceEvents* service : std::exchange(renewed_, {})) service->sockets_changed();
}

void ListenerLossWatch::on_event(std::uint32_t) {
  for (int i = 0; i < most_at_once; ++i) {
    const auto cookie = ends_.next();
    if (!cookie) return;
    ended(*cookie);
  }
}

void ListenerLossWatch::ended(std::uint64_t cookie) {
  for (const Listener& one : listeners_) {
    if ((cookie == 0 || one.cookie == cookie) && !is_ending(*one.service)) one.service->sockets_changed();
  }
}

}  // namespace belfry::daemon
