#include "daemon/descriptor_need.hpp"

#include <algorithm>

#include "daemon/http/server.hpp"
#include "system/descriptors.hpp"

namespace belfry::daemon {

namespace {

using config::Probe;

// Standard streams, epoll sets, signals, timers, the spawner's, the control socket, one start; and what is
// held back for who connects.
const std::size_t own = 28 + http::ServerLimits().reserve;

std::size_t count_probes(const config::Service& service, Probe::Kind kind) {
  const auto in = [kind](const config::ProbeSet& set) {
    return std::ranges::count(set.probes, kind, &Probe::kind);
  };
  auto count = in(service.ready);
  if (service.extras) {
    for (const config::OwnBell& bell : service.extras->bells) count += in(bell.probes);
  }
  return static_cast<std::size_t>(count);
}

bool has_processes(const config::Service& service) { return service.enabled && !service.command.empty(); }

std::size_t held_while_it_runs(const config::Service& service) {
  const config::ServiceExtras* extras = service.extras.get();
  std::size_t count = extras != nullptr && extras->log.inherit ? 0 : 1;
  // Another user's service has one in any case.
  if (wants_own_notify_socket(service) || !service.user->empty()) ++count;
  count += count_probes(service, Probe::Kind::fd);
  if (count_probes(service, Probe::Kind::port) + count_probes(service, Probe::Kind::unix_socket) > 0)
    ++count;  // its listen trap
  return extras == nullptr ? count : count + extras->listen.size() + extras->fd_store;
}

}  // namespace

std::size_t descriptors_of_belfry() { return own; }

bool wants_own_notify_socket(const config::Service& service) {
  if (count_probes(service, Probe::Kind::notify) > 0) return true;
  const config::ServiceExtras* extras = service.extras.get();
  return extras != nullptr &&
         (extras->watchdog || extras->fd_store > 0 || extras->notify_access != config::NotifyAccess::all);
}

std::size_t descriptors_needed(const config::Stack& stack) {
  std::size_t count = own + stack.http.listen.size();
  for (const config::Service& service : stack.services) {
    if (has_processes(service)) count += held_while_it_runs(service);
  }
  return count;
}

std::optional<std::string> shortage_of_descriptors(const config::Stack& stack, std::size_t limit) {
  const std::size_t needed = descriptors_needed(stack);
  if (needed <= limit) return std::nullopt;
  return "cannot run all of " + std::to_string(std::ranges::count_if(stack.services, has_processes)) +
         " services at once: that takes some " + std::to_string(needed) + " descriptors, and the limit is " +
         std::to_string(limit) + std::string(system::how_to_raise_the_limit);
}

}  // namespace belfry::daemon
