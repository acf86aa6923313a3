// A running stack, looked at until it ends or somebody has seen enough: `status --watch` and `attach`.
#pragma once

#include <functional>

#include "cli/options.hpp"
#include "client/client.hpp"

namespace belfry::cli {

struct WatchTerms {
  std::vector<std::string> services;  // empty: all
  bool with_events = false;           // what happens is shown above the block
  bool may_stop = false;              // Ctrl-C asks whether to leave or to stop the stack
};

// Shows on standard output how the stack is that answers at `client`, and again whenever something has
// happened: on a terminal in its place, elsewhere as one line for each change. Returns the exit code when the
// daemon has ended, or when the user leaves.
int watch(client::Client client, const WatchTerms& terms);

}  // namespace belfry::cli
