// Watches for the loss of listeners: the sockets that were the proof of readiness, and are gone.
//
// The kernel tells the end of each socket that a `port` probe has found (system/socket_ends.hpp). Then the
// probes of its service look again: another socket may serve the port by now, and if none does, the service
// is `unready` until it listens again.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "channels/timer_queue.hpp"
#include "daemon/service/service_events.hpp"
#include "probes/listen_monitor/monitor.hpp"
#include "system/poller.hpp"
#include "system/socket_ends.hpp"

namespace belfry::daemon {

// Owner: the listen notifiers.
// Lifecycle: outlives the services' runs; the kernel is asked to tell from the first proof on.
class ListenerLossWatch final : system::PollWatcher, public probes::ProofListener {
 public:
  explicit ListenerLossWatch(system::Poller& poller) : poller_(poller) {}
  ~ListenerLossWatch();
  ListenerLossWatch(const ListenerLossWatch&) = delete;
  ListenerLossWatch& operator=(const ListenerLossWatch&) = delete;

  // A run of the service has begun, and this is its monitor.
  void follow(ServiceEvents& service, const std::shared_ptr<probes::ListenMonitor>& monitor);

 private:
  // Gives the kernel a new filter, with the sockets that were found since the last one. A socket that was
  // found may have ended before the filter lets its end pass, so its service looks once more afterwards. A
  // filter costs as much as it has sockets, so all new ones of some milliseconds share one. The timer that a
  // new proof arms puts this behind everything else that its turn brings.
  struct Renewal final : Callback {
    explicit Renewal(ListenerLossWatch& w) : watch(w) {}
    void run() noexcept override { watch.renew(); }
    ListenerLossWatch& watch;
  };
  struct Listener {
    std::uint64_t cookie;
    ServiceEvents* service;
  };
  void proven(const probes::ListenMonitor& monitor) override;
  void on_event(std::uint32_t events) override;
  void renew();
  bool begin();
  void take_news();
  void ended(std::uint64_t cookie);

  system::Poller& poller_;
  system::SocketEnds ends_;
  bool is_unavailable_ = false;  // the kernel does not tell
  std::vector<std::pair<std::weak_ptr<probes::ListenMonitor>, ServiceEvents*>> followed_;
  std::vector<const probes::ListenMonitor*> news_;  // compared only: they may be gone
  std::vector<ServiceEvents*> renewed_;
  std::vector<Listener> listeners_;
  Renewal renewal_{*this};
  Timer renewal_timer_{poller_.loop()};
};

}  // namespace belfry::daemon
