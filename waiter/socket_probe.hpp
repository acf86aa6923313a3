// `unix:path` for whoever waits from outside.
#pragma once

#include <string>
#include <utility>

#include "probes/net/connection.hpp"
#include "probes/probe.hpp"

namespace belfry::waiter {

// True when a connection is accepted. The probe of a service looks in the kernel's list of listening sockets
// instead, and disturbs nobody; but that list is the network namespace's own, and a socket that one waits for
// may come from another container, through a volume.
// Owner: the wait. Lifecycle and Cancellation: as every Probe. `resolver` outlives it, and is asked nothing.
class SocketProbe final : public probes::Probe {
 public:
  SocketProbe(probes::Resolver& resolver, std::string path)
      : resolver_(resolver), target_{.host = {}, .socket_path = std::move(path)} {}

  Task<probes::CheckResult> check(Context& ctx) override {
    probes::Connection connection(ctx.loop());
    probes::CheckResult connected = co_await connection.connect(ctx, resolver_, target_);
    co_return connected;
  }

 private:
  probes::Resolver& resolver_;
  probes::Target target_;
};

}  // namespace belfry::waiter
