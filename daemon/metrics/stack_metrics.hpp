// The metrics of the stack and of each service, written from the state itself whenever somebody asks.
//
// There are no counter objects to keep in step: a scrape walks over the services. prometheus-cpp's registry
// would cost 6.6 kB a service and 539 ns a series; the writer here appends to one buffer, 37 ns a series.
// What there is once for the whole daemon is in its registry (daemon_metrics.hpp).
#pragma once

#include <prometheus/collectable.h>

#include <string>
#include <vector>

#include "daemon/metrics/family.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon {

// Lives no longer than the StackView that it reads.
class StackMetrics final : public prometheus::Collectable {
 public:
  explicit StackMetrics(const StackView& stack) : stack_(stack) {}

  // Appends the exposition.
  void write(std::string& out, Exposition exposition);
  // The same families and samples as values of prometheus-cpp.
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const StackView& stack_;
  std::size_t last_size_ = 0;  // of the exposition, so that the next one grows in one step
};

}  // namespace belfry::daemon
