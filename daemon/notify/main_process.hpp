// A main process that belfry did not start itself: the one that MAINPID= named (sd_notify(3)), or that a
// daemon has left in the background.
#pragma once

#include <sys/types.h>

#include <optional>

#include "channels/error.hpp"
#include "system/poller.hpp"
#include "system/process.hpp"
#include "system/process_handle.hpp"

namespace belfry::daemon {

class MainProcessListener {
 public:
  // Called once. Without a status: it was another process's child, and only that one can know.
  virtual void on_main_ended(pid_t pid, std::optional<system::ExitStatus> status) = 0;

 protected:
  ~MainProcessListener() = default;
};

// Owner: the service's endpoint at the NotifyRouter. Lifecycle: follow(), then told of the end, or forget().
// Cancellation: forget().
class MainProcess final : system::PollWatcher {
 public:
  MainProcess(system::Poller& poller, MainProcessListener& listener) : poller_(poller), listener_(listener) {}
  ~MainProcess() { forget(); }
  MainProcess(const MainProcess&) = delete;
  MainProcess& operator=(const MainProcess&) = delete;

  Result<void> follow(pid_t pid);
  // As ProcessHandle::signal(). False: it is gone.
  bool signal(int signo) const { return process_ && process_->signal(signo); }
  void forget();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void on_event(std::uint32_t events) override;

  system::Poller& poller_;
  MainProcessListener& listener_;
  pid_t pid_ = 0;
  std::optional<system::ProcessHandle> process_;
};

}  // namespace belfry::daemon
