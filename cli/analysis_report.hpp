// What `belfry analyze` says: for people, and as JSON. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "analyze/course.hpp"
#include "analyze/trend.hpp"
#include "cli/analyze_options.hpp"
#include "history/history.hpp"

namespace belfry::cli {

struct AnalysisReport {
  std::string stack;
  bool is_stop = false;
  bool from_history = false;
  std::string at;  // RFC 3339; empty: nobody knows
  std::vector<std::string> remarks;
  std::vector<analyze::Gain> asked;                // by --faster
  std::vector<analyze::Observation> observations;  // of the same kind, the oldest first; this one is the last
};

[[nodiscard]] std::string analysis_text(const AnalysisReport& report, const analyze::Analysis& analysis);
[[nodiscard]] std::string analysis_json(const AnalysisReport& report, const analyze::Analysis& analysis);

// Two starts, or stops, beside each other.
struct ComparedRuns {
  std::string stack;
  bool is_stop = false;
  const daemon::HistoryEntry* before = nullptr;
  const daemon::HistoryEntry* after = nullptr;
};
[[nodiscard]] std::string comparison_text(const ComparedRuns& runs);
[[nodiscard]] std::string comparison_json(const ComparedRuns& runs);

// "2026-11-30T12:00:00Z".
[[nodiscard]] std::string wall_text(daemon::WallMoment at);

}  // namespace belfry::cli
