#include "daemon/resources/activation.hpp"

#include <algorithm>
#include <utility>

#include "config/model/output_reference.hpp"
#include "system/identity.hpp"

namespace belfry::daemon {

namespace {

using config::ListenSocket;
using system::SocketPlan;

SocketPlan plan_of(const ListenSocket& socket) {
  SocketPlan plan;
  switch (socket.kind) {
    case ListenSocket::Kind::tcp: plan.kind = SocketPlan::Kind::tcp; break;
    case ListenSocket::Kind::udp: plan.kind = SocketPlan::Kind::udp; break;
    case ListenSocket::Kind::unix_stream: plan.kind = SocketPlan::Kind::unix_stream; break;
  }
  plan.address = socket.address;
  plan.port = socket.port;
  if (socket.mode) plan.mode = static_cast<mode_t>(*socket.mode);
  if (socket.backlog) plan.backlog = static_cast<int>(*socket.backlog);
  plan.v6only = socket.v6only;
  plan.reuse_port = socket.reuse_port;
  return plan;
}

}  // namespace

// An owner that does not exist is an error of the service that names it, and is reported when its sockets are
// to be bound.
void Activation::open() {
  for (std::size_t i = 0; i < stack_.services.size(); ++i) {
    const config::Service& spec = stack_.services[i];
    if (!spec.extras) continue;  // also of what no profile enables: it may be started by name
    const auto is_late = [](const ListenSocket& one) { return config::has_reference(one.address); };
    if (std::ranges::none_of(spec.extras->listen, is_late)) plan(i, spec.extras->listen);
  }
}

void Activation::plan(std::size_t service, const std::vector<ListenSocket>& sockets) {
  close(service);
  ownerless_.erase(service);
  std::vector<SocketPlan>& plans = plans_[service];
  plans.clear();
  for (const ListenSocket& socket : sockets) {
    SocketPlan& made = plans.emplace_back(plan_of(socket));
    if (auto ok = look_up_owner(socket, made); !ok) ownerless_.try_emplace(service, ok.error());
  }
}

Result<void> Activation::look_up_owner(const ListenSocket& socket, SocketPlan& plan) const {
  const auto nobody = [&plan](const std::string& what, const std::string& name) {
    return std::unexpected(Error::failed("cannot give the socket " + plan.text() + " to " + name +
                                         ": there is no such " + what + " (create it, or name another one)"));
  };
  if (!socket.owner.empty()) {
    const auto found = system::find_identity(socket.owner);
    if (!found) return nobody("user", socket.owner);
    plan.owner = found->uid;
  }
  if (!socket.group.empty()) {
    const auto found = system::find_group(socket.group);
    if (!found) return nobody("group", socket.group);
    plan.group = *found;
  }
  return {};
}

Result<void> Activation::bind(std::size_t service) {
  const auto plans = plans_.find(service);
  if (plans == plans_.end()) return {};
  if (const auto why = ownerless_.find(service); why != ownerless_.end()) return std::unexpected(why->second);
  Sockets& sockets = bound_[service];
  for (std::size_t i = 0; i < plans->second.size(); ++i) {
    if (i < sockets.size() && sockets[i].is_reachable()) continue;
    auto made = system::ActivationSocket::bind(plans->second[i]);
    if (!made) {
      close(service);
      return std::unexpected(made.error());
    }
    if (i < sockets.size())
      sockets[i] = std::move(*made);
    else
      sockets.push_back(std::move(*made));
  }
  return {};
}

std::vector<Activation::Passed> Activation::passed(std::size_t service) const {
  std::vector<Passed> list;
  const auto sockets = bound_.find(service);
  if (sockets == bound_.end()) return list;
  const auto& specs = stack_.services[service].extras->listen;
  for (std::size_t i = 0; i < sockets->second.size(); ++i) {
    sockets->second[i].make_blocking();
    list.push_back({.fd = sockets->second[i].fd(), .name = &specs[i].name});
  }
  return list;
}

}  // namespace belfry::daemon
