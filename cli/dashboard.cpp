// belfry dashboard: the page of a belfry that runs, over its control socket.
#include <iostream>

#include "cli/commands.hpp"
#include "cli/locate.hpp"
#include "config/model/exit_codes.hpp"
#include "relay/relay.hpp"
#include "system/signals.hpp"

namespace belfry::cli {

int dashboard(const Invocation& asked) {
  std::string socket;
  {
    const auto daemon = connect_to_daemon(asked);
    if (!daemon) return report(daemon.error());
    socket = daemon->path();
  }
  const system::SignalBlock signals;
  const auto served = relay::serve({.socket = socket, .port = asked.port}, [](const std::string& link) {
    std::cout << link << std::endl;  // now: whoever reads it waits for it
    std::cerr << "belfry: this link opens the dashboard in one browser, once; Ctrl-C closes it\n";
  });
  return served ? exit_code::ok : report(served.error());
}

}  // namespace belfry::cli
