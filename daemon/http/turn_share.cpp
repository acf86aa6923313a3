#include "daemon/http/turn_share.hpp"

#include "channels/sleep.hpp"

namespace belfry::daemon::http {

// Whoever is the first to go on in a turn begins its share; those behind him take of it until it is gone.
Task<void> TurnShare::wait() {
  while (left_ <= 0) {
    const std::uint64_t seen = shares_;
    co_await yield_to_all(loop_);
    if (shares_ != seen) continue;
    ++shares_;
    left_ = whole_;
  }
}

}  // namespace belfry::daemon::http
