// What the probes that ask the kernel share, whatever service they are of.
#pragma once

#include <cstddef>

namespace belfry::system {
class SockDiag;
}

namespace belfry::probes {

class SocketOwners;

// How many probes of the daemon ask the kernel in turn: the more, the slower each.
// Owner: the factory, which outlives its probes.
struct PortWaiters {
  std::size_t count = 0;
};

// What it points at is the factory's, which outlives its probes.
struct KernelQuestions {
  system::SockDiag& diag;
  SocketOwners& owners;
  PortWaiters& waiters;
};

}  // namespace belfry::probes
