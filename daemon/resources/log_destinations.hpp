// Where the lines of services go beside belfry's own output: files and log daemons, each with a pump of its
// own that all who write there share.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "channels/loop.hpp"
#include "config/model/model.hpp"
#include "daemon/logs/log_book.hpp"
#include "daemon/logs/outputs.hpp"
#include "daemon/logs/pump.hpp"
#include "system/log_file.hpp"

namespace belfry::daemon {

// Owner: the native resources. Lifecycle: the pumps are made with the services that use them; one that nobody
// uses any more goes when it has written what it holds. Drain them at the end.
class LogDestinations {
 public:
  LogDestinations(Loop& loop, const config::Stack& stack, LogPump& own);
  ~LogDestinations() { own_.keep_own_at(nullptr); }
  LogDestinations(const LogDestinations&) = delete;
  LogDestinations& operator=(const LogDestinations&) = delete;

  // Everything that the lines of the service of this index go to. It lives no longer than this.
  [[nodiscard]] std::unique_ptr<LogOutputs> open(std::size_t service, const config::Service& spec);
  // The last lines of all services and of belfry.
  [[nodiscard]] LogBook& book() { return book_; }
  // Those of one service; null: it has never had a run, or its output is not read.
  [[nodiscard]] const LogRing* ring(std::size_t service) const { return book_.ring(service); }
  // From now on no pump goes: somebody is about to drain them.
  void keep_all() { keeps_all_ = true; }
  // Files are opened again by their names: somebody has renamed them.
  void reopen();
  // Those of files and log daemons, by what they are called in messages.
  void each_pump(const std::function<void(const std::string& name, LogPump& pump)>& visit) const;

  // Something a person must see; and how many lines could not be written to which.
  std::function<void(const std::string& text)> on_trouble;
  std::function<void(const std::string& name, std::uint64_t lines)> on_unwritten;

 private:
  // Shared by all who write there.
  struct Target {
    std::unique_ptr<LogPump> pump;
    system::LogFile* file = nullptr;  // the pump's; null: it is a log daemon
    system::LogFile::Rotation rotation{};
    std::size_t users = 0;
  };
  void add_to(LogOutputs& outputs, const std::string& target, std::string_view name, LineStyle style);
  const std::string& file(const config::Log& log, LineStyle style);
  std::string daemon_at(const std::string& socket, bool is_journal);
  Target& keep(const std::string& name, std::unique_ptr<LogPump> pump);
  void leave(const std::string& name);
  void close_if_written(const std::string& name);

  Loop& loop_;
  std::string stack_name_;
  LogPump& own_;
  LogBook book_;
  bool keeps_all_ = false;
  std::map<std::string, Target> targets_;  // by path, or "journald at PATH", "syslog at PATH"
};

// Whether stdout and stderr of a service are told apart, which takes a second pipe.
[[nodiscard]] bool tells_streams_apart(const config::Log& log);

}  // namespace belfry::daemon
