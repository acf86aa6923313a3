// The listen traps of all services: who gets one, and who answers when it is sprung.
//
// A trap outlives the run it was set for when something of the run does: it is served until its descriptor
// hangs up, which is when the last process below it has ended. Closed any earlier, listen(2) would fail in
// what is left.
#pragma once

#include <memory>
#include <vector>

#include "config/model.hpp"
#include "daemon/listen_ends.hpp"
#include "daemon/poller.hpp"
#include "probes/listen_watch/ear.hpp"
#include "system/launch.hpp"
#include "system/seccomp_listen.hpp"

namespace belfry::daemon {

class Service;

// Owner: the provisions.
// Lifecycle: outlives the services; a trap's descriptor is watched until it hangs up.
// Cancellation: none, nothing waits.
class ListenTraps {
 public:
  // What one service has of it.
  struct Kit {
    system::ListenTrapRequest request;
    std::shared_ptr<probes::ListenEar> ear;  // of the run that is being prepared, or runs
  };

  ListenTraps(Poller& poller, config::OnDaemonDeath on_death);
  ~ListenTraps();
  ListenTraps(const ListenTraps&) = delete;
  ListenTraps& operator=(const ListenTraps&) = delete;

  // Prepares the next run: a service without a `port` or `unix` probe has no kit and pays nothing.
  void lay(const Service& service, std::unique_ptr<Kit>& kit, system::Launch& launch);
  // The spawn has been tried; `kit` may be null.
  void started(Service& service, const std::unique_ptr<Kit>& kit);

 private:
  class Trap;
  void remove(Trap& trap);

  Poller& poller_;
  config::OnDaemonDeath on_death_;
  system::TrapRights rights_ = system::TrapRights::own();
  int refused_ = 0;  // an errno that every further try would end with as well
  std::vector<std::unique_ptr<Trap>> traps_;
  ListenEnds ends_;
};

}  // namespace belfry::daemon
