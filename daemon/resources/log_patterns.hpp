// The `log` probes of a service: each is true once a line of the run's output matches.
#pragma once

#include <string_view>
#include <vector>

#include "config/model/pattern.hpp"
#include "daemon/logs/pipe.hpp"
#include "daemon/service/service_events.hpp"

namespace belfry::daemon {

// Owner: the resources of a service that has such probes.
// Lifecycle: begin_run() before each start; from the line on at which all have matched it hears nothing.
// Cancellation: none, nothing waits.
class LogPatterns final : LineListener {
 public:
  LogPatterns(ServiceEvents& events, LogPipe& pipe, const std::vector<const config::Probe*>& probes);
  ~LogPatterns() { pipe_.tell(nullptr); }
  LogPatterns(const LogPatterns&) = delete;
  LogPatterns& operator=(const LogPatterns&) = delete;

  // What was written until now was the last run's.
  void begin_run();

 private:
  struct Watched {
    const config::Probe* probe;
    config::Pattern pattern;
    bool seen = false;
  };

  void on_line(std::string_view line) override;

  ServiceEvents& events_;
  LogPipe& pipe_;
  std::vector<Watched> watched_;
};

}  // namespace belfry::daemon
