// What belfry itself tells its service manager (systemd, or another belfry): the sending side of
// sd_notify(3).
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "channels/loop.hpp"
#include "channels/timer_queue.hpp"
#include "daemon/notify/descriptor_store.hpp"
#include "system/owned_fd.hpp"
#include "system/poller.hpp"

namespace belfry::daemon {

// Without a service manager ($NOTIFY_SOCKET is not set) nothing is sent, and no timer wakes belfry up.
//
// Sending never blocks, and nothing that matters is lost: what cannot be sent at once waits for room in the
// socket, and of each kind of message only the latest is kept.
// Owner: the Daemon. Lifecycle: reads $NOTIFY_SOCKET, $WATCHDOG_USEC, $WATCHDOG_PID and $FDSTORE once. From
// then on it pings the service manager's watchdog, at half its period, from the loop: while the loop hangs,
// no ping is sent. Cancellation: the destructor.
class ServiceManagerNotifier final : public DescriptorStore, system::PollWatcher {
 public:
  // `summary` is the text of STATUS at any moment.
  ServiceManagerNotifier(Loop& loop, system::Poller& poller, std::function<std::string()> summary);
  ~ServiceManagerNotifier() override;
  ServiceManagerNotifier(const ServiceManagerNotifier&) = delete;
  ServiceManagerNotifier& operator=(const ServiceManagerNotifier&) = delete;

  // Something has changed: STATUS follows soon, at most ten times a second. `progress`: a service has become
  // ready, so a start that is not over asks for more time (EXTEND_TIMEOUT_USEC).
  void changed(bool progress);
  // A service has asked for this much time for itself.
  void needs_time(Duration by);
  void ready();
  // The stack goes down, which may take `at_most`.
  void stopping(const std::string& why, Duration at_most);
  // What runs is being exchanged; and it has been.
  void reloading();
  void reloaded();
  // belfry was asked to reload and touched nothing: the service manager, which waits for the end of the
  // reload, is told so and why.
  void reload_answered(const std::string& why);

  [[nodiscard]] std::size_t room() const override { return fd_ ? room_ : 0; }
  void store(int fd, const std::string& name) override;
  void remove(const std::string& name) override;
  void settle() override;

 private:
  // What is stored or taken out; in order, and none of it is ever left out.
  struct StoreMessage {
    std::string text;
    system::OwnedFd attached;
  };
  void on_event(std::uint32_t events) override;
  void ping_watchdog();
  void refresh();
  void send();
  void hand_over(StoreMessage message, int attached);
  [[nodiscard]] bool hand_over_the_rest();
  void wait_for_room();

  Loop& loop_;
  system::Poller& poller_;
  std::function<std::string()> summary_;
  system::OwnedFd fd_;  // empty: there is no service manager
  std::size_t room_ = 0;
  std::deque<StoreMessage> unsent_;
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
