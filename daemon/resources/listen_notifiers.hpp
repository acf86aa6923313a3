// The listen notifiers of all services: who gets one, and who answers when it is sprung.
//
// A notifier outlives the run it was set for when something of the run does: it is served until its
// descriptor hangs up, which is when the last process below it has ended. Closed any earlier, listen(2) would
// fail in what is left.
#pragma once

#include <memory>
#include <vector>

#include "config/model/model.hpp"
#include "daemon/resources/listen_ends.hpp"
#include "daemon/service/service_ref.hpp"
#include "probes/listen_monitor/monitor.hpp"
#include "system/launch.hpp"
#include "system/poller.hpp"
#include "system/seccomp_listen.hpp"

namespace belfry::daemon {

// Owner: the resources.
// Lifecycle: outlives the services; a notifier's descriptor is watched until it hangs up.
// Cancellation: none, nothing waits.
class ListenNotifiers {
 public:
  // What one service has of it.
  struct PerService {
    system::ListenNotifierRequest request;
    std::shared_ptr<probes::ListenMonitor> monitor;  // of the run that is being prepared, or runs
  };

  ListenNotifiers(Poller& poller, config::OnDaemonDeath on_death);
  ~ListenNotifiers();
  ListenNotifiers(const ListenNotifiers&) = delete;
  ListenNotifiers& operator=(const ListenNotifiers&) = delete;

  // Prepares the next run: a service without a `port` or `unix` probe is given nothing and pays nothing.
  void apply(const ServiceRef& service, std::unique_ptr<PerService>& own, system::Launch& launch);
  // The spawn has been tried; `own` may be null.
  void started(const ServiceRef& service, const std::unique_ptr<PerService>& own);

 private:
  class Notifier;
  void remove(Notifier& notifier);

  Poller& poller_;
  config::OnDaemonDeath on_death_;
  system::ListenNotifierRights rights_ = system::ListenNotifierRights::own();
  int refused_ = 0;  // an errno that every further try would end with as well
  std::vector<std::unique_ptr<Notifier>> notifiers_;
  ListenEnds ends_;
};

}  // namespace belfry::daemon
