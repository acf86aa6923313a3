// The start of a run as a trace: OTLP in its JSON form, as the OpenTelemetry Collector's file receiver and
// most backends read it (opentelemetry-proto 1, with the rules of its JSON encoding).
//
// A span for each incarnation, from its wish to start to its bell or its failure, with children for what it
// did: waited for its dependencies, started, became ready. Edges are links. What began after the stack was up
// is a trace of its own.
#pragma once

#include <string>

#include "report/run.hpp"

namespace belfry::report {

// One line. The ids follow from the run, so the same run is the same trace however often it is written.
[[nodiscard]] std::string otlp_json(const Run& run);

}  // namespace belfry::report
