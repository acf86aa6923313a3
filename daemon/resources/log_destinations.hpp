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

namespace belfry::daemon {

// Owner: the native resources. Lifecycle: the pumps are made with the services that use them, and last as
// long as the daemon; drain the pumps at the end.
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
  // Files are opened again by their names: somebody has renamed them.
  void reopen();
  // Those of files and log daemons, by what they are called in messages.
  void each_pump(const std::function<void(const std::string& name, LogPump& pump)>& visit) const;

  // Something a person must see; and how many lines could not be written to which.
  std::function<void(const std::string& text)> on_trouble;
  std::function<void(const std::string& name, std::uint64_t lines)> on_unwritten;

 private:
  LogPump& file(const config::Log& log, LineStyle style);
  LogPump& daemon_at(const std::string& socket, bool is_journal);
  LogPump& keep(const std::string& name, std::unique_ptr<LogPump> pump);

  Loop& loop_;
  std::string stack_name_;
  LogPump& own_;
  LogBook book_;
  std::map<std::string, std::unique_ptr<LogPump>> pumps_;  // by path, or "journald PATH", "syslog PATH"
};

// Whether stdout and stderr of a service are told apart, which takes a second pipe.
[[nodiscard]] bool tells_streams_apart(const config::Log& log);

}  // namespace belfry::daemon
