// What belfry itself tells the supervisor above it (systemd, or another belfry): sd_notify(3), sending side.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "channels/loop.hpp"
#include "channels/timer_queue.hpp"
#include "system/poller.hpp"

namespace belfry::daemon {

// Nothing is sent, and nothing wakes up, when nobody is above ($NOTIFY_SOCKET is not set).
//
// Nothing blocks and nothing that matters is lost: what cannot be sent at once waits for the socket, and of
// each kind only the latest is kept.
// Owner: the Daemon. Lifecycle: reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID once; the watchdog is
// fed from then on, at half its period, from the loop: a loop that hangs feeds nobody.
// Cancellation: the destructor.
class ServiceManagerNotifier final : PollWatcher {
 public:
  // `summary` is the text of STATUS at any moment.
  ServiceManagerNotifier(Loop& loop, Poller& poller, std::function<std::string()> summary);
  ~ServiceManagerNotifier();
  ServiceManagerNotifier(const ServiceManagerNotifier&) = delete;
  ServiceManagerNotifier& operator=(const ServiceManagerNotifier&) = delete;

  // Something changed: STATUS follows soon, at most ten times a second. With `progress` made, a start that is
  // not over is given more time (EXTEND_TIMEOUT_USEC).
  void changed(bool progress);
  // A service has asked for this much time for itself.
  void needs_time(Duration by);
  void ready();
  // The stack goes down, and may take `at_most`.
  void stopping(const std::string& why, Duration at_most);
  // Asked to reload, and cannot: whoever waits for the end of a reload is told so, and why.
  void reload_refused(const std::string& why);

 private:
  void on_event(std::uint32_t events) override;
  void connect(const char* path);
  void feed_watchdog();
  void refresh();
  void send();

  Loop& loop_;
  Poller& poller_;
  std::function<std::string()> summary_;
  int fd_ = -1;
  bool waits_for_room_ = false;
  bool is_ready_ = false;
  bool is_stopping_ = false;
  bool progress_ = false;
  TimePoint refreshed_at_{};
  Timer refresh_timer_;
  Timer watchdog_timer_;
  Duration watchdog_{0};

  // What is to be sent, the latest of each kind.
  std::string state_;  // "READY=1", …
  std::optional<std::string> status_;
  std::optional<Duration> extend_;
  bool alive_ = false;
};

}  // namespace belfry::daemon
