// What the probes that ask the kernel share, whatever service they are of.
#pragma once

#include <cstddef>

namespace belfry::system {
class SockDiag;
}

namespace belfry::probes {

class SocketOwners;

// How many probes of the daemon ask the kernel in turn: the more, the slower each.
// Owner: the factory. Lifecycle: outlives its probes. Cancellation: none.
struct PortWaiters {
  std::size_t count = 0;
};

// Owner: the factory has what it points at. Lifecycle: outlives its probes. Cancellation: none.
struct KernelQuestions {
  system::SockDiag& diag;
  SocketOwners& owners;
  PortWaiters& waiters;
};

}  // namespace belfry::probes
