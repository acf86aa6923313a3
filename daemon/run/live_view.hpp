// `belfry run` on a terminal: a line for each service stays at the bottom, and what is written scrolls above.
#pragma once

#include <string>
#include <vector>

#include "channels/loop.hpp"
#include "channels/timer_queue.hpp"
#include "daemon/logs/pump.hpp"
#include "daemon/supervisor/supervisor.hpp"
#include "text/live.hpp"

namespace belfry::daemon {

// Drawn after changes, at most twenty times a second; while somebody is on his way up or down also once a
// second, for the time that it takes. When all have come to rest nothing wakes belfry up.
//
// Owner: the Daemon. Lifecycle: from its start to end(); of what was drawn last, who is in trouble stays.
// Cancellation: destruction.
class LiveView {
 public:
  LiveView(Loop& loop, const Supervisor& supervisor, LogPump& pump);
  ~LiveView();
  LiveView(const LiveView&) = delete;
  LiveView& operator=(const LiveView&) = delete;

  void changed();
  // The terminal may have another size.
  void resized();
  // Draws for the last time what is so now; afterwards lines are only lines.
  void end();

 private:
  void draw();
  void look();
  [[nodiscard]] text::LiveRow row_of(std::size_t index) const;

  Loop& loop_;
  const Supervisor& supervisor_;
  LogPump& pump_;
  text::Screen screen_;
  text::LiveBlock block_;
  std::vector<std::string> lines_;
  Timer timer_;
  TimePoint drawn_at_{};
  bool soon_ = false;  // something has changed and is not drawn yet
};

// Whether there is a terminal that can be drawn on, which nobody else writes to.
[[nodiscard]] bool can_be_live(const config::Stack& stack, int output);

}  // namespace belfry::daemon
