// Readiness by a descriptor: the service writes to it when it is ready, and nothing else is asked of it.
//
// Two dialects. s6 (s6-notifyonwhenup(7)): bytes up to a newline; whoever closes it without one stays
// unready. dinit (dinit-service(5), ready-notification = pipefd:N): any byte; closed without one is a failed
// start.
#pragma once

#include <cstdint>

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "system/owned_fd.hpp"
#include "system/poller.hpp"

namespace belfry::daemon {

class ReadyFdListener {
 public:
  virtual void wrote_ready(const config::Probe& probe) = 0;
  // It will never say so in this run. At most one of the two is called per open().
  virtual void closed_unready(const config::Probe& probe, const Error& why) = 0;

 protected:
  ~ReadyFdListener() = default;
};

// Owner: the resources, one for each `fd` probe of a service.
// Lifecycle: open() before each run, passed() once the child has its copy; the next open(), close() or the
//   destructor end it.
// Cancellation: close().
class ReadyFd final : system::PollWatcher {
 public:
  ReadyFd(system::Poller& poller, ReadyFdListener& listener, const config::Probe& probe)
      : poller_(poller), listener_(listener), probe_(probe) {}
  ~ReadyFd() { close(); }
  ReadyFd(const ReadyFd&) = delete;
  ReadyFd& operator=(const ReadyFd&) = delete;

  // A new pipe, unless one is ready and has not been passed on yet. Its write end, which stays ours.
  Result<int> open();
  // The clone has been tried: the write end is the child's alone.
  void passed() { write_end_.close(); }
  // Takes in what has been written so far.
  void drain();
  void close();
  // Made, and not passed on yet.
  [[nodiscard]] bool is_open() const { return static_cast<bool>(write_end_); }
  [[nodiscard]] std::uint16_t number() const { return probe_.fd; }  // in the child

 private:
  void on_event(std::uint32_t events) override;
  bool read_some();
  void give_up(const Error& why);
  void close_read_end();

  system::Poller& poller_;
  ReadyFdListener& listener_;
  const config::Probe& probe_;  // the file's
  system::OwnedFd read_end_;
  system::OwnedFd write_end_;
  std::uint32_t bytes_ = 0;  // read without a newline
};

}  // namespace belfry::daemon
