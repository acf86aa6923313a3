// Starts and stops, as the daemon or its history tells of them, as courses that can be analysed. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyze/course.hpp"
#include "analyze/trend.hpp"
#include "client/timeline.hpp"
#include "config/model/model.hpp"
#include "history/history.hpp"

namespace belfry::cli {

// What is left out, and why, is said in `remarks`.
struct NamedCourse {
  analyze::Course course;
  std::vector<std::string> remarks;
};

// The start that brought the stack up: what was started later is not of it.
[[nodiscard]] NamedCourse course_of(const client::TimelineReply& timeline);
// From what is kept of an earlier one, with the edges of the file as it is now.
[[nodiscard]] NamedCourse course_of_start(const daemon::HistoryEntry& entry, const config::Stack& stack);
// A service begins to stop when whatever depends on it has stopped.
[[nodiscard]] NamedCourse course_of_stop(const daemon::HistoryEntry& entry, const config::Stack& stack);

// "ready", or the name of an own bell.
[[nodiscard]] std::string_view condition_of(const config::Dependency& edge);

// What each service took.
[[nodiscard]] analyze::Observation observation_of(const daemon::HistoryEntry& entry);

}  // namespace belfry::cli
