// Which signals ask for the end, and which of them only repeat what was asked a moment ago.
//
// One Ctrl-C often comes twice: the terminal sends it to the whole group, and a wrapper passes it on, as
// SIGINT or as SIGTERM; timeout(1) signals its child and then its group. If the second one meant "kill
// everything", a database would lose the time it needs for its last write, within a millisecond of a single
// key press.
#pragma once

#include <optional>
#include <string>

#include "channels/time/time.hpp"
#include "system/signals.hpp"

namespace belfry::daemon {

// Owner: Daemon. Lifecycle: from the first signal to the end.
class StopRequests {
 public:
  // Signals this close together are one request, if they are the same or if one of them comes from the
  // terminal and the other one from a process.
  static constexpr Duration echo_time = std::chrono::milliseconds(500);

  enum class Meaning : std::uint8_t {
    none,    // not a request to end
    asks,    // the first one: in order, within the budget
    echoes,  // the first one once more
    kills,   // a second request, or SIGQUIT: everything at once
  };

  Meaning take(const system::SignalEvent& event, TimePoint now);

  // The signal that asked first; 0: none.
  [[nodiscard]] int first() const { return first_ ? first_->number : 0; }
  // Why everything is killed: "a second SIGINT, 2.1 s after SIGINT". After `kills`.
  [[nodiscard]] const std::string& why_killed() const { return why_killed_; }

 private:
  [[nodiscard]] bool is_echo(const system::SignalEvent& event, TimePoint now) const;

  std::optional<system::SignalEvent> first_;
  TimePoint asked_at_{};
  std::string why_killed_;
};

}  // namespace belfry::daemon
