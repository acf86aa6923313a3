// Whose socket is it? A stale or foreign process on a port must not ring the bell of a service.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "system/process.hpp"
#include "system/sock_diag.hpp"

namespace belfry::probes {

// Whether a process of the tree holds one of the sockets: the leader, what descends from it, or an
// orphan that left its descent (a double fork) and is a child of belfry's now. Reads /proc: call it when
// somebody listens, not for every look. A process whose descriptors may not be looked at holds what its user
// has made.
[[nodiscard]] bool holds_one(const system::TreeId& tree, const std::vector<system::ListeningSocket>& sockets);

// Who holds a socket that is not this service's: "pid 4711 nginx", for messages.
// Owner: the probe. Lifecycle: looks through /proc once for each holder, not for each question, and for a
//   bounded time. Cancellation: none; it does not wait.
class ForeignHolder {
 public:
  [[nodiscard]] const std::string& name(const std::vector<system::ListeningSocket>& sockets,
                                        bool unix_sockets);

 private:
  std::vector<system::ListeningSocket> sockets_;
  std::string name_;
};

}  // namespace belfry::probes
