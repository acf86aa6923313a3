#include "probes/port_holder.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "config/model/address.hpp"
#include "system/visibility.hpp"

namespace belfry::probes {

namespace {

using Kind = config::Probe::Kind;

bool is_this_host(std::string_view host) {
  static constexpr std::array<std::string_view, 5> names = {"localhost", "::1", "0.0.0.0", "::", "*"};
  return host.starts_with("127.") || std::ranges::find(names, host) != names.end();
}

// host:port, or a URL whose port is written out or the scheme's own.
std::optional<std::uint16_t> port_on_this_host(std::string_view target) {
  std::string_view rest = target;
  std::string_view by_scheme;
  if (const std::size_t scheme = rest.find("://"); scheme != std::string_view::npos) {
    const std::string_view name = rest.substr(0, scheme);
    by_scheme = name == "http" ? ":80" : name == "https" ? ":443" : name == "redis" ? ":6379" : "";
    rest.remove_prefix(scheme + 3);
    rest = rest.substr(0, rest.find_first_of("/?#"));
    if (const std::size_t login = rest.rfind('@'); login != std::string_view::npos)
      rest.remove_prefix(login + 1);
  } else {
    rest = rest.substr(0, rest.find('/'));  // grpc: host:port/service
  }
  auto address = config::parse_host_port(rest);
  if (!address) address = config::parse_host_port(std::string(rest).append(by_scheme));
  if (!address || !is_this_host(address->host)) return std::nullopt;
  return address->port;
}

}  // namespace

std::vector<Port> declared_ports(const config::ProbeSet& ready) {
  std::vector<Port> ports;
  const auto add = [&](std::optional<std::uint16_t> number, bool udp) {
    if (number && *number != 0 && std::ranges::find(ports, Port{*number, udp}) == ports.end())
      ports.push_back({*number, udp});
  };
  for (const config::Probe& probe : ready.probes) {
    if (probe.any_owner) continue;  // it need not be the service that listens there
    switch (probe.kind) {
      case Kind::port: add(probe.port, probe.udp); break;
      case Kind::tcp:
      case Kind::http:
      case Kind::grpc:
      case Kind::redis:
      case Kind::amqp:
      case Kind::memcached: add(port_on_this_host(probe.target), false); break;
      default: break;
    }
  }
  return ports;
}

bool NativePortHolders::is_held(const Port& port) {
  return !diag_.listeners(port.number, port.udp, true).empty();
}

Task<PortHolder> NativePortHolders::holder_of(Context& ctx, Port port) {
  SocketOwners::Sockets sockets = diag_.listeners(port.number, port.udp, true);
  if (sockets.empty()) co_return PortHolder{};
  PortHolder found{.is_held = true, .uid = sockets.front().uid};
  const SocketOwners::Holder holder =
      co_await owners_.holder_of(ctx, std::move(sockets), SocketOwners::whenever, SocketOwners::InRest::wait);
  found.gave_up = holder.process.pid == 0 && ctx.cancelled();
  if (holder.process.pid == 0) co_return found;
  found.pid = holder.process.pid;
  found.name = holder.name;
  found.uid = system::user_of_process(found.pid).value_or(found.uid);
  co_return found;
}

}  // namespace belfry::probes
