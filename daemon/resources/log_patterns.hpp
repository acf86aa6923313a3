// The `log` probes of a service: each is true once a line of the run's output matches.
#pragma once

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
    bool publishes = false;  // it has named groups
    bool seen = false;
  };

  void on_line(std::string_view line) override;
  void publish(const AwaitedLine& matched, std::string_view line);

  ServiceEvents& events_;
  LogPipe& pipe_;
  std::vector<AwaitedLine> awaited_;
};

}  // namespace belfry::daemon
