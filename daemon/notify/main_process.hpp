// A main process that belfry did not start itself: the one that MAINPID= named (sd_notify(3)).
//
// Held by a pidfd, so that a signal can never reach somebody else who was given its number, and so that its
// end is noticed although it is somebody else's child.
#pragma once

#include <sys/types.h>

#include <optional>

#include "channels/error.hpp"
#include "system/poller.hpp"
#include "system/process.hpp"

namespace belfry::daemon {

class MainProcessListener {
 public:
  // Once. No status: its parent has it.
  virtual void on_main_ended(pid_t pid, std::optional<system::ExitStatus> status) = 0;

 protected:
  ~MainProcessListener() = default;
};

// Owner: the service's endpoint at the NotifyRouter. Lifecycle: follow(), then told of the end, or forget().
// Cancellation: forget().
class MainProcess final : PollWatcher {
 public:
  MainProcess(Poller& poller, MainProcessListener& listener) : poller_(poller), listener_(listener) {}
  ~MainProcess() { forget(); }
  MainProcess(const MainProcess&) = delete;
  MainProcess& operator=(const MainProcess&) = delete;

  Result<void> follow(pid_t pid);
  // Who asks to end (TERM, INT, HUP, QUIT, ABRT) is followed by SIGCONT. False: it is gone.
  bool signal(int signo) const;
  void forget();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void on_event(std::uint32_t events) override;

  Poller& poller_;
  MainProcessListener& listener_;
  pid_t pid_ = 0;
  int fd_ = -1;
};

}  // namespace belfry::daemon
