// The pipe that a service writes its output to.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "channels/error.hpp"
#include "daemon/logs/outputs.hpp"
#include "daemon/logs/splitter.hpp"
#include "system/owned_fd.hpp"
#include "system/poller.hpp"

namespace belfry::daemon {

struct LogPipeOptions {
  std::uint32_t longest_line = LineSplitter::usual_longest;
  LogStream stream = LogStream::output;
  bool terminal = false;  // a terminal (pty(7)) instead of a pipe, whose input is empty
};

// Owner: the resources of the service. Lifecycle: open for as long as any process may write to it; outlives
// restarts of the service. The outputs outlive it.
class LogPipe final : system::PollWatcher, LogSource {
 public:
  LogPipe(system::Poller& poller, LogOutputs& outputs, LogPipeOptions options = {});
  ~LogPipe();

  // A write end for the next run. Of a terminal: open for reading as well.
  Result<system::OwnedFd> open_write_end();
  // What is read from now on was written by this run.
  void begin_run(std::uint64_t incarnation) { incarnation_ = incarnation; }
  // Reads what is there by now, but no more than a pipe may hold: a service may write faster than belfry
  // reads.
  void drain();
  // The same at the end of a writer, whose last line may have no end.
  void drain_last_words();
  // What was read last, at least the last 2 KiB if there were so many, and forgets it.
  [[nodiscard]] std::string take_last_words() { return std::exchange(last_words_, {}); }
  // From now on `listener` is told every line; null: nobody is.
  void tell(LineListener* listener) { splitter_.listener = listener; }
  [[nodiscard]] ino_t inode() const { return inode_; }
  [[nodiscard]] bool is_open() const { return static_cast<bool>(read_); }

 private:
  void on_event(std::uint32_t events) override;
  void go_on() override;
  Result<system::OwnedFd> open_pipe();
  Result<system::OwnedFd> open_terminal();
  Result<void> listen_to(system::OwnedFd read_end);
  [[nodiscard]] std::size_t begin_turn();
  [[nodiscard]] LineOrigin origin() const;
  enum class Read : std::uint8_t { nothing, some, all_it_could };
  // Nothing: the pipe is empty or has ended.
  Read read_once(std::size_t most);
  void close();
  void keep(std::string_view bytes);

  system::Poller& poller_;
  LogOutputs& outputs_;
  LogPipeOptions options_;
  LineSplitter splitter_;
  std::uint64_t incarnation_ = 0;
  system::OwnedFd read_;
  ino_t inode_ = 0;
  bool enlarged_ = false;
  std::string last_words_;  // never more than twice what is promised
};

}  // namespace belfry::daemon
