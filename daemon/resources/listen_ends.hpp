// Levels that are lost: a listener that was proof of readiness is gone.
//
// The kernel tells the end of each socket that a `port` probe has found. Then the probes of its service look
// again: another socket may serve the port by now, and if none does, the service is `unready` until it
// listens again.
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
// Cancellation: none, nothing waits.
class ListenEnds final : PollWatcher, public probes::ProofKeeper {
 public:
  explicit ListenEnds(Poller& poller) : poller_(poller) {}
  ~ListenEnds();
  ListenEnds(const ListenEnds&) = delete;
  ListenEnds& operator=(const ListenEnds&) = delete;

  // A run of the service has begun, and this is its monitor.
  void follow(ServiceEvents& service, const std::shared_ptr<probes::ListenMonitor>& monitor);

 private:
  // What was found between the look and the filter that lets its end pass may have ended meanwhile: whoever
  // is new looks once more. A filter costs as much as it has sockets, so those of some milliseconds share
  // one. The timer that a new proof arms puts this behind everything else that its turn brings.
  struct Renewal final : Callback {
    explicit Renewal(ListenEnds& e) : ends(e) {}
    void run() noexcept override { ends.renew(); }
    ListenEnds& ends;
  };
  struct Watched {
    std::uint64_t cookie;
    ServiceEvents* service;
  };
  void proven(const probes::ListenMonitor& monitor) override;
  void on_event(std::uint32_t events) override;
  void renew();
  bool begin();
  void take_news();
  void ended(std::uint64_t cookie);

  Poller& poller_;
  system::SocketEnds ends_;
  bool is_unavailable_ = false;  // the kernel does not tell
  std::vector<std::pair<std::weak_ptr<probes::ListenMonitor>, ServiceEvents*>> followed_;
  std::vector<const probes::ListenMonitor*> news_;  // names only
  std::vector<ServiceEvents*> renewed_;
  std::vector<Watched> watched_;
  Timer renewal_timer_{poller_.loop()};
  Renewal renewal_{*this};
};

}  // namespace belfry::daemon
