// Many probes ask which process holds a socket: how much of the loop's time the answers may take.
//
// A process that takes and leaves an awaited port, or has a hundred thousand descriptors, decides how long
// each answer takes. So one search runs at a time, a slice of it per turn, first come first served; and after
// one in vain all searches rest nine times as long as it has worked.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "channels/context.hpp"
#include "channels/semaphore.hpp"
#include "channels/task.hpp"
#include "channels/time/time.hpp"
#include "system/process.hpp"
#include "system/process_identity.hpp"
#include "system/sock_diag.hpp"

namespace belfry::probes {

// Owner: the factory; one for all probes.
// Lifecycle: outlives the probes; remembers a few holders, for as long as they live.
// Cancellation: of a search, within a turn; its answer is then the one of who found nothing.
class SocketOwners {
 public:
  using Sockets = std::vector<system::ListeningSocket>;

  // What one probe has found out of its own service.
  struct Memory {
    Sockets sockets;
    bool ours = false;
  };
  // Pid 0: nobody whose descriptors may be looked at.
  struct Holder {
    system::ProcessIdentity process;
    std::string name;
    // "pid 4711 nginx"
    [[nodiscard]] std::string text() const { return "pid " + std::to_string(process.pid) + " " + name; }
  };
  enum class InRest : std::uint8_t { give_up, wait };  // when it would be long
  static constexpr std::uint64_t whenever = std::numeric_limits<std::uint64_t>::max();

  explicit SocketOwners(Loop& loop);

  // Whether a process of the tree holds one of them.
  Task<bool> are_held_by(Context& ctx, const system::TreeId& tree, Sockets sockets, Memory& memory);
  // Who on this host holds one: a process that was started before `older_than` if there is one, else any.
  Task<Holder> holder_of(Context& ctx, Sockets sockets, std::uint64_t older_than, InRest in_rest);

 private:
  struct Sort {
    Semaphore turns;
    TimePoint rests_until{};
    void rest_after(Duration work, TimePoint now) { rests_until = now + 9 * work; }
  };
  struct Known {
    Sockets sockets;
    std::uint64_t older_than;
    Holder holder;
    TimePoint until;  // of the belief that nobody older holds one
  };
  [[nodiscard]] const Known* known(const Sockets& sockets, std::uint64_t older_than) const;
  void remember(Known known);
  Task<Holder> search(Context& ctx, Sockets sockets, std::uint64_t older_than);

  Loop& loop_;
  Sort in_trees_;
  Sort in_host_;
  std::vector<Known> known_;
};

}  // namespace belfry::probes
