// How much of a turn of the loop all clients together may take.
#pragma once

#include <cstddef>
#include <cstdint>

#include "channels/loop.hpp"
#include "channels/task.hpp"

namespace belfry::daemon::http {

// To answer takes time that nobody else has: services that became ready, exits, the health check. Whoever
// wants a large answer when this turn's share has been taken waits for a later one; first come, first served.
// Measured in bytes of answers: they say well enough how long it took to make them.
// Owner: Shared. Lifecycle: as long as the server. Cancellation: none: a wait ends by itself after a few
// turns.
class TurnShare {
 public:
  TurnShare(Loop& loop, std::size_t bytes)
      : loop_(loop), whole_(static_cast<std::ptrdiff_t>(bytes)), left_(whole_) {}

  [[nodiscard]] bool has_left() const { return left_ > 0; }
  void take(std::size_t bytes) { left_ -= static_cast<std::ptrdiff_t>(bytes); }
  // Until there is something left for the caller.
  Task<void> wait();

 private:
  Loop& loop_;
  std::ptrdiff_t whole_;
  std::ptrdiff_t left_;
  std::uint64_t shares_ = 0;  // that were begun
};

}  // namespace belfry::daemon::http
