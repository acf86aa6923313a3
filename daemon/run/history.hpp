// Writes a line of history for each start and each stop (history/history.hpp), off the loop.
#pragma once

#include <functional>
#include <string>

#include "channels/mailbox.hpp"
#include "daemon/supervisor/supervisor.hpp"
#include "history/history.hpp"
#include "system/shared_append.hpp"

namespace belfry::daemon {

// What there is to say of the start, when it has succeeded or will not any more.
[[nodiscard]] HistoryEntry history_of_start(const Supervisor& supervisor, bool succeeded, std::string reason);
// What there is to say of the stop that began at `asked_at`, when it is over.
[[nodiscard]] HistoryEntry history_of_stop(const Supervisor& supervisor, TimePoint asked_at, int exit_code,
                                           std::string reason);

// Owner: the Daemon. Lifecycle: as long as it; finish() before it ends. Cancellation: none, it never waits
//   but in finish().
class HistoryWriter {
 public:
  // `say` is told what somebody should know, once of each kind; `count` of every line that is lost.
  HistoryWriter(Loop& loop, std::string path, std::function<void(const std::string&)> say,
                std::function<void()> count);

  void write(const HistoryEntry& entry);
  // For as long as `patience`; whoever has the file locked for longer has it, and the line is lost.
  void finish(Duration patience);

 private:
  static constexpr off_t most_bytes = off_t{1} << 20;

  void written(const system::AppendOutcome& outcome);
  void failed(const std::string& why);

  std::string path_;
  std::function<void(const std::string&)> say_;
  std::function<void()> count_;
  bool has_complained_ = false;
  bool has_told_of_mending_ = false;
  Mailbox mailbox_;
  system::SharedAppender appender_;
};

}  // namespace belfry::daemon
