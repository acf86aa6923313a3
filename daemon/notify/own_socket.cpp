#include "daemon/notify/own_socket.hpp"

#include "config/model/probes_of.hpp"

namespace belfry::daemon {

bool wants_own_notify_socket(const config::Service& service) {
  if (!probes_of(service, config::Probe::Kind::notify).empty()) return true;
  const config::ServiceExtras* extras = service.extras.get();
  return extras != nullptr &&
         (extras->watchdog || extras->fd_store > 0 || extras->notify_access != config::NotifyAccess::all);
}

}  // namespace belfry::daemon
