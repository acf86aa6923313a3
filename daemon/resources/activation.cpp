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

// Known when a run begins only.
bool has_late_one(const std::vector<ListenSocket>& sockets) {
  return std::ranges::any_of(sockets,
                             [](const ListenSocket& one) { return config::has_reference(one.address); });
}

bool is_same(const SocketPlan& one, const SocketPlan& other) {
  return one.text() == other.text() && one.mode == other.mode && one.owner == other.owner &&
         one.group == other.group && one.backlog == other.backlog && one.v6only == other.v6only &&
         one.reuse_port == other.reuse_port;
}

}  // namespace

// An owner that does not exist is an error of the service that names it, and is reported when its sockets are
// to be bound.
void Activation::open(const config::Stack& stack) {
  for (std::size_t i = 0; i < stack.services.size(); ++i) {
    const config::Service& spec = stack.services[i];
    if (!spec.extras) continue;  // also of what no profile enables: it may be started by name
    if (!has_late_one(spec.extras->listen)) plan(i, spec.extras->listen);
  }
}

Activation::Names Activation::names_in(const config::Stack& stack) {
  Names names;
  for (const config::Service& spec : stack.services) {
    if (!spec.extras) continue;
    const bool late = has_late_one(spec.extras->listen);
    for (const ListenSocket& socket : spec.extras->listen) {
      names.all.insert(socket.name);
      if (late) names.late.insert(socket.name);
    }
  }
  return names;
}

void Activation::plan(std::size_t service, const std::vector<ListenSocket>& sockets) {
  close(service);
  ownerless_.erase(service);
  std::vector<Planned>& plans = plans_[service];
  plans.clear();
  for (const ListenSocket& socket : sockets) {
    Planned& made = plans.emplace_back(Planned{.plan = plan_of(socket), .name = socket.name});
    if (auto ok = look_up_owner(socket, made.plan); !ok) ownerless_.try_emplace(service, ok.error());
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
    auto made = manager_.get(plans->second[i].name, plans->second[i].plan);
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
  const std::vector<Planned>& plans = plans_.at(service);
  for (std::size_t i = 0; i < sockets->second.size(); ++i) {
    sockets->second[i].make_blocking();
    list.push_back({.fd = sockets->second[i].fd(), .name = &plans[i].name});
  }
  return list;
}

bool Activation::is_ours(const std::string& address) const {
  return std::ranges::any_of(bound_, [&](const auto& one) {
    const auto plans = plans_.find(one.first);
    return plans != plans_.end() && std::ranges::any_of(plans->second, [&](const Planned& planned) {
             return planned.plan.text() == address;
           });
  });
}

Result<void> Activation::admit(std::size_t service, const std::vector<ListenSocket>& sockets, bool frees) {
  if (has_late_one(sockets)) return {};
  for (const ListenSocket& socket : sockets) {
    SocketPlan plan = plan_of(socket);
    if (auto ok = look_up_owner(socket, plan); !ok) return ok;
    if (is_ours(plan.text())) continue;  // who has it gives it up, or it is this very service
    auto made = manager_.get(socket.name, plan);
    if (made)
      admitted_[service].push_back({.plan = std::move(plan), .socket = std::move(*made)});
    else if (!frees)
      return std::unexpected(made.error());
  }
  return {};
}

void Activation::keep(std::size_t service) {
  const auto bound = bound_.find(service);
  if (bound == bound_.end()) return;
  kept_[service] = {.plans = plans_.at(service), .sockets = std::move(bound->second)};
  bound_.erase(bound);
}

std::optional<system::ActivationSocket> Activation::take(Changing& from, const SocketPlan& plan) {
  for (std::size_t i = 0; i < from.sockets.size(); ++i) {
    if (!is_same(from.plans[i].plan, plan)) continue;
    system::ActivationSocket taken = std::move(from.sockets[i]);
    from.plans.erase(from.plans.begin() + static_cast<std::ptrdiff_t>(i));
    from.sockets.erase(from.sockets.begin() + static_cast<std::ptrdiff_t>(i));
    return taken;
  }
  return std::nullopt;
}

void Activation::place(std::size_t service, const std::vector<ListenSocket>& sockets) {
  Changing before;
  if (const auto kept = kept_.find(service); kept != kept_.end()) before = std::move(kept->second);
  kept_.erase(service);
  for (Admitted& one : admitted_[service]) {
    before.plans.push_back({.plan = std::move(one.plan), .name = {}});
    before.sockets.push_back(std::move(one.socket));
  }
  admitted_.erase(service);
  plans_.erase(service);
  if (sockets.empty() || has_late_one(sockets)) return close(service);
  plan(service, sockets);
  if (before.sockets.empty()) return;
  std::vector<std::optional<system::ActivationSocket>> taken;
  const std::vector<Planned>& plans = plans_[service];
  for (const Planned& planned : plans) taken.push_back(take(before, planned.plan));
  before = {};  // an address that is free again can be bound in another way
  Sockets all;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    auto made = taken[i] ? Result<system::ActivationSocket>(std::move(*taken[i]))
                         : manager_.get(plans[i].name, plans[i].plan);
    if (!made) break;  // the start tries again, and says why not
    all.push_back(std::move(*made));
  }
  bound_[service] = std::move(all);
}

void Activation::forget(std::size_t service) {
  close(service);
  plans_.erase(service);
  ownerless_.erase(service);
  kept_.erase(service);
  admitted_.erase(service);
}

}  // namespace belfry::daemon
