// How much of the loop's time all clients together may take before it is everybody else's turn.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/task.hpp"

namespace belfry::daemon::http {

// To answer takes time that nobody else has: services that became ready, exits, the health check. Whoever
// wants a large answer when the share of this round has been taken waits for a later one; first come, first
// served. A round is what the kernel had to tell in one go: a turn of the loop would not do, as each of a
// thousand sockets that have become readable makes one.
//
// Measured in bytes of answers, which is what they cost to send and to keep; a microsecond that it took to
// make one counts as 64 of them.
// Owner: Shared. Lifecycle: as long as the server. Cancellation: by the context of the wait, in the next
// round.
class TurnShare {
 public:
  explicit TurnShare(std::size_t bytes) : whole_(static_cast<std::ptrdiff_t>(bytes)), left_(whole_) {}

  [[nodiscard]] bool has_left() const { return left_ > 0; }
  void take(std::size_t bytes, Duration took) {
    const auto by_time = static_cast<std::ptrdiff_t>(took / std::chrono::microseconds(1) * 64);
    left_ -= std::max(static_cast<std::ptrdiff_t>(bytes), by_time);
  }
  // Until there is something left for the caller, or `ctx` is cancelled.
  Task<void> wait(Context& ctx);
  // Everything that has happened by now is dealt with first.
  static Task<void> let_io_go_first(Context& ctx);

 private:
  std::ptrdiff_t whole_;
  std::ptrdiff_t left_;
  std::uint64_t shares_ = 0;  // that were begun
};

}  // namespace belfry::daemon::http
