#include "daemon/metrics/registry_text.hpp"

#include <cmath>

#include "daemon/metrics/text_sink.hpp"

namespace belfry::daemon {
namespace {

Family::Type type_of(prometheus::MetricType type) {
  if (type == prometheus::MetricType::Counter) return Family::Type::counter;
  return type == prometheus::MetricType::Histogram ? Family::Type::histogram : Family::Type::gauge;
}

void write_histogram(TextSink& sink, Labels labels, const prometheus::ClientMetric::Histogram& histogram) {
  for (const auto& bucket : histogram.bucket) {
    char bound[32] = "+Inf";
    const char* end = bound + 4;
    if (std::isfinite(bucket.upper_bound))
      end = std::to_chars(std::begin(bound), std::end(bound), bucket.upper_bound).ptr;
    sink.bucket({}, labels, std::string_view(bound, end), static_cast<double>(bucket.cumulative_count));
  }
  sink.sum_and_count({}, labels, histogram.sample_sum, static_cast<double>(histogram.sample_count));
}

}  // namespace

void write_families(std::string& out, Exposition exposition,
                    const std::vector<prometheus::MetricFamily>& families) {
  TextSink sink(out, exposition);
  for (const prometheus::MetricFamily& family : families) {
    const Family::Type type = type_of(family.type);
    sink.family({family.name, type, family.help});
    for (const prometheus::ClientMetric& metric : family.metric) {
      std::vector<Label> labels;
      for (const auto& label : metric.label) labels.push_back({label.name, label.value});
      const Labels all{std::span<const Label>(labels)};
      switch (type) {
        case Family::Type::gauge: sink.value({}, all, metric.gauge.value); break;
        case Family::Type::counter: sink.value({}, all, metric.counter.value); break;
        case Family::Type::histogram: write_histogram(sink, all, metric.histogram); break;
      }
    }
  }
}

}  // namespace belfry::daemon
