// The same families and values as prometheus-cpp's, to be embedded, and to hold the text against.
#pragma once

#include <prometheus/metric_family.h>

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/metrics/family.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon {

// Builds prometheus-cpp's families.
class FamilySink {
 public:
  FamilySink(std::vector<prometheus::MetricFamily>& out, std::span<const std::string_view> services)
      : out_(out), services_(services) {}

  void family(const Family& family) {
    constexpr prometheus::MetricType types[] = {
        prometheus::MetricType::Gauge, prometheus::MetricType::Counter, prometheus::MetricType::Histogram};
    auto& made = out_.emplace_back();
    made.name = family.name;
    made.help = family.help;
    made.type = types[static_cast<std::size_t>(family.type)];
  }
  void value(std::optional<std::size_t> service, Labels labels, double value) {
    auto& metric = add(service, labels);
    metric.gauge.value = value;
    metric.counter.value = value;
  }
  void histogram(std::optional<std::size_t> service, Labels labels, const HistogramView& histogram) {
    auto& made = add(service, labels).histogram;
    made.sample_count = histogram.count;
    made.sample_sum = histogram.sum;
    for (std::size_t i = 0; i < histogram.buckets.size(); ++i)
      made.bucket.push_back({histogram.buckets[i], histogram.bounds.values[i]});
    made.bucket.push_back({histogram.count, std::numeric_limits<double>::infinity()});
  }

 private:
  prometheus::ClientMetric& add(std::optional<std::size_t> service, Labels labels) {
    auto& metric = out_.back().metric.emplace_back();
    if (service) metric.label.push_back({"service", std::string(services_[*service])});
    for (const Label& label : labels)
      metric.label.push_back({std::string(label.name), std::string(label.value)});
    return metric;
  }

  std::vector<prometheus::MetricFamily>& out_;
  std::span<const std::string_view> services_;
};

}  // namespace belfry::daemon
