// The listen notifiers of all services: which services get one, and who answers the notifications that it
// sends.
//
// A notifier outlives the run for which it was installed when a process of the run does: it is served until
// its descriptor hangs up, which is when the last process below it has ended. If it were closed any earlier,
// listen(2) would fail in the processes that are left.
#pragma once

#include <memory>
#include <vector>

#include "config/model/model.hpp"
#include "daemon/resources/listener_loss_watch.hpp"
#include "daemon/service/service_ref.hpp"
#include "probes/listen_monitor/monitor.hpp"
#include "system/launch.hpp"
#include "system/poller.hpp"
#include "system/seccomp_listen.hpp"

namespace belfry::daemon {

// Owner: the native resources.
// Lifecycle: outlives the services; a notifier's descriptor is watched until it hangs up.
class ListenNotifiers {
 public:
  // What belongs to one service.
  struct PerService {
    system::ListenNotifierRequest request;
    std::shared_ptr<probes::ListenMonitor> monitor;  // of the run that is being prepared, or runs
  };

  ListenNotifiers(system::Poller& poller, config::OnDaemonDeath on_death);
  ~ListenNotifiers();
  ListenNotifiers(const ListenNotifiers&) = delete;
  ListenNotifiers& operator=(const ListenNotifiers&) = delete;

  // Prepares the next run. `own` stays null for a service without a `port` or `unix` probe, which pays
  // nothing.
  void apply(const ServiceRef& service, std::unique_ptr<PerService>& own, system::Launch& launch);
  // The spawn has been tried; `own` may be null.
  void started(const ServiceRef& service, const std::unique_ptr<PerService>& own);

 private:
  class Notifier;
  void remove(Notifier& notifier);

  system::Poller& poller_;
  config::OnDaemonDeath on_death_;
  system::ListenNotifierRights rights_ = system::ListenNotifierRights::own();
  int refused_ = 0;  // an errno that every further try would end with as well
  std::vector<std::unique_ptr<Notifier>> notifiers_;
  ListenerLossWatch loss_watch_;
};

}  // namespace belfry::daemon
