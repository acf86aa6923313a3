// What prometheus-cpp's registry holds, as text: its own serializer knows no OpenMetrics.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "daemon/metrics/family.hpp"

namespace belfry::daemon {

// Appends gauges, counters and histograms.
void write_families(std::string& out, Exposition exposition,
                    const std::vector<prometheus::MetricFamily>& families);

}  // namespace belfry::daemon
