// The `log` probes of a service: each is true once as many lines of the run's output match as it asks for.
// The last line counts without its end, too, when its writer has ended.
//
// All of them together look through at most Pattern::most_work in one turn, so that no line keeps other
// services waiting. A line gets half of that at most, because more may come with its end; and of what an
// ended process has left in its pipe, which is read in one turn, the first lines are looked at, as far as it
// goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "config/model/pattern.hpp"
#include "daemon/logs/pipes.hpp"
#include "daemon/service/service_events.hpp"

namespace belfry::daemon {

// Owner: the resources of a service that has such probes.
// Lifecycle: begin_run() before each start; once all have matched, it listens to no further lines of the run.
class LogPatterns final : LineListener {
 public:
  LogPatterns(ServiceEvents& events, LogPipes& pipe, const std::vector<const config::Probe*>& probes);
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
  std::size_t on_turn() override;
  // How many bytes of the line are looked at.
  [[nodiscard]] std::optional<std::size_t> share_of(std::string_view line);
  void count(AwaitedLine& one, std::string_view line, std::size_t share);
  void publish(const AwaitedLine& matched, std::string_view line, std::size_t share);
  void rest_when_all_are_seen();

  ServiceEvents& events_;
  LogPipes& pipe_;
  std::vector<AwaitedLine> awaited_;
  std::size_t longest_look_ = 0;  // at one line, in bytes
  std::size_t left_to_look_ = 0;  // in this turn
};

}  // namespace belfry::daemon
