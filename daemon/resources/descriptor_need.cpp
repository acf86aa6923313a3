#include "daemon/resources/descriptor_need.hpp"

#include <algorithm>

#include "config/model/probes_of.hpp"
#include "daemon/notify/own_socket.hpp"
#include "daemon/resources/log_destinations.hpp"
#include "system/descriptors.hpp"

namespace belfry::daemon {

namespace {

using config::Probe;

// Standard streams, epoll sets, signals, timers, the spawner's, the control socket, one start; and what is
// held back for who connects.
constexpr std::size_t own = 31 + descriptors_held_for_clients;

bool has_processes(const config::Service& service) { return service.enabled && !service.command.empty(); }

std::size_t held_while_it_runs(const config::Service& service) {
  const config::ServiceExtras* extras = service.extras.get();
  std::size_t count = extras != nullptr && extras->log.inherit ? 0 : 1;
  if (extras != nullptr) {
    if (!extras->tty && tells_streams_apart(extras->log)) ++count;
    if (!extras->log.file.empty()) ++count;
  }
  // Another user's service has one in any case.
  if (wants_own_notify_socket(service) || !service.user->empty()) ++count;
  count += probes_of(service, Probe::Kind::fd).size();
  if (!probes_of(service, Probe::Kind::port).empty() || !probes_of(service, Probe::Kind::unix_socket).empty())
    ++count;  // its listen notifier
  if (extras != nullptr && (extras->sandbox || !extras->credentials.empty())) count += 3;  // its namespaces
  return extras == nullptr ? count : count + extras->listen.size() + extras->fd_store;
}

}  // namespace

std::size_t descriptors_of_belfry() { return own; }

std::size_t descriptors_needed(const config::Stack& stack) {
  std::size_t count = own + stack.http.listen.size();
  for (const config::Service& service : stack.services) {
    if (has_processes(service)) count += held_while_it_runs(service);
  }
  return count;
}

std::size_t connections_for_clients(const config::Stack& stack, std::size_t limit) {
  constexpr std::size_t least = 1024;  // whatever is left: who connects is let in before who has no use of it
  constexpr std::size_t most = 20'480;
  const std::size_t needed = descriptors_needed(stack);
  return std::clamp((std::max(limit, needed) - needed) / 4 * 3, least, most);
}

std::optional<std::string> shortage_of_descriptors(const config::Stack& stack, std::size_t limit) {
  const std::size_t needed = descriptors_needed(stack);
  if (needed <= limit) return std::nullopt;
  return "cannot run all of " + std::to_string(std::ranges::count_if(stack.services, has_processes)) +
         " services at once: that takes some " + std::to_string(needed) + " descriptors, and the limit is " +
         std::to_string(limit) + std::string(system::how_to_raise_the_limit);
}

}  // namespace belfry::daemon
