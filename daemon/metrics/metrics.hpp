// Every metric of belfry, by name, once; written from the state itself whenever somebody asks.
//
// There are no counter objects to keep in step: a scrape walks over the services. Prometheus' registry
// would cost 6.6 kB a service and 539 ns a series; the writer here appends to one buffer.
#pragma once

#include <prometheus/collectable.h>

#include <string>
#include <vector>

#include "channels/turn_meter.hpp"
#include "daemon/http/wire/metrics_source.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon {

// Owner: App. Lifecycle: as long as the StackView that it reads. Cancellation: none, it never waits.
class Metrics final : public MetricsSource, public prometheus::Collectable {
 public:
  // `unattributed` counts notify messages of nobody's process; `meter` is the loop's. Null: not shown.
  explicit Metrics(const StackView& stack, const std::uint64_t* unattributed = nullptr,
                   const TurnMeter* meter = nullptr)
      : stack_(stack), unattributed_(unattributed), meter_(meter) {}

  void write(std::string& out, const HttpStats& http) override;
  // The same families and samples as values of prometheus-cpp (without those of HTTP), for embedding and for
  // holding the writer against an independent serializer.
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const StackView& stack_;
  const std::uint64_t* unattributed_;
  const TurnMeter* meter_;
  std::size_t last_size_ = 0;  // of the exposition, so that the next one grows in one step
};

// Escapes a label's value as the text format asks: backslash, quote and newline.
void append_label_value(std::string& out, std::string_view value);

}  // namespace belfry::daemon
