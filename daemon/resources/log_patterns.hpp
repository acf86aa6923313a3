// The `log` probes of a service: each is true once as many lines of the run's output match as it asks for.
// The last line counts without its end, too, when its writer has ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "config/model/pattern.hpp"
#include "daemon/logs/pipe.hpp"
#include "daemon/service/service_events.hpp"

namespace belfry::daemon {

// Owner: the resources of a service that has such probes.
// Lifecycle: begin_run() before each start; once all have matched, it listens to no further lines of the run.
class LogPatterns final : LineListener {
 public:
  LogPatterns(ServiceEvents& events, LogPipe& pipe, const std::vector<const config::Probe*>& probes);
  ~LogPatterns() { pipe_.tell(nullptr); }
  LogPatterns(const LogPatterns&) = delete;
  LogPatterns& operator=(const LogPatterns&) = delete;

  // What was written until now counts as the last run's.
  void begin_run();

 private:
  struct AwaitedLine {
    const config::Probe* probe;
    config::Pattern pattern;
    bool publishes = false;      // it has named groups
    std::uint32_t left = 0;      // lines that must still match; 0: seen
    bool counted_ahead = false;  // the line that comes next has been counted before it had its end
  };

  void on_line(std::string_view line) override;
  void on_unfinished(std::string_view line) override;
  [[nodiscard]] std::size_t most_at_once() const override;
  void count(AwaitedLine& one, std::string_view line);
  void publish(const AwaitedLine& matched, std::string_view line);
  void rest_when_all_are_seen();

  ServiceEvents& events_;
  LogPipe& pipe_;
  std::vector<AwaitedLine> awaited_;
};

}  // namespace belfry::daemon
