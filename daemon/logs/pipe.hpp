// Where a service writes to.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "channels/error.hpp"
#include "daemon/logs/pump.hpp"
#include "system/poller.hpp"

namespace belfry::daemon {

// The pipe that a service writes to; with `tty` a terminal (pty(7)) instead, whose input is empty.
// Owner: the resources of the service. Lifecycle: open for as long as somebody may write; outlives restarts.
// Cancellation: none; closing it is the end.
class LogPipe final : PollWatcher, LogSource {
 public:
  LogPipe(Poller& poller, LogPump& pump, std::string_view name, LineStyle style = {}, bool terminal = false);
  ~LogPipe();

  // A write end for the next run, the caller's to close. Of a terminal: open for reading as well.
  Result<int> open_write_end();
  // Reads what is there by now: of somebody who writes faster than that, no more than a pipe may hold.
  void drain();
  // From now on `listener` hears every line; null: nobody.
  void tell(LineListener* listener) { lines_.listener = listener; }
  [[nodiscard]] ino_t inode() const { return inode_; }
  [[nodiscard]] bool is_open() const { return read_ >= 0; }
  [[nodiscard]] std::uint64_t lines_lost() const { return lines_.lost_in_all(); }

 private:
  void on_event(std::uint32_t events) override;
  void go_on() override;
  Result<int> open_pipe();
  Result<int> open_terminal();
  Result<void> listen_to(int read_end);
  // False when the pipe is empty or has ended.
  bool read_once();
  void close();

  Poller& poller_;
  LogPump& pump_;
  LogLines lines_;
  bool terminal_;
  int read_ = -1;
  ino_t inode_ = 0;
};

}  // namespace belfry::daemon
