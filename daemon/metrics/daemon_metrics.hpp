// Everything that /metrics says: what there is once for the daemon, and the stack with its services.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "channels/turn_meter.hpp"
#include "daemon/metrics/http_metrics.hpp"
#include "daemon/view/cluster_view.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon {

// What the daemon counts of itself is counters, gauges and histograms of prometheus-cpp, in one registry,
// which text_sink.hpp writes as well. They are counted where something happens; what somebody else counts
// already (the loop's turns, the notify router, the kernel) is taken over when somebody scrapes. What there
// is for each service is appended by the fast writer of stack_metrics.hpp.
//
// Lives no longer than what it reads.
class DaemonMetrics final : public HttpMetrics {
 public:
  // `unattributed` counts notify messages of nobody's process; `turns` is the loop's meter. Null: not shown.
  explicit DaemonMetrics(const StackView& stack, const std::uint64_t* unattributed = nullptr,
                         const TurnMeter* turns = nullptr);
  ~DaemonMetrics() override;
  DaemonMetrics(const DaemonMetrics&) = delete;
  DaemonMetrics& operator=(const DaemonMetrics&) = delete;

  // What `cluster` counts is shown from now on.
  void set_cluster(const ClusterSource& cluster);

  void write(std::string& out, Exposition exposition) override;

  // A line of the history of starts could not be written.
  void history_lost();
  // For whoever writes lines: so many could not be written to this output ("output" is belfry's own, else the
  // path of a file or a log daemon). Feeds belfry_log_lines_unwritten_total{output}.
  void lines_unwritten(std::string_view output, std::uint64_t lines);

  void request_answered(int status) override;
  void command_ended(ServiceCommand command, CommandOutcome outcome) override;
  void connection_accepted() override;
  void connection_closed() override;
  void connection_refused() override;
  void connection_shed() override;
  void stream_dropped() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace belfry::daemon
