#include "cli/analysis_report.hpp"

#include <algorithm>
#include <ctime>
#include <iterator>

#include "analyze/gantt.hpp"
#include "cli/courses.hpp"
#include "text/escape.hpp"
#include "text/width.hpp"

namespace belfry::cli {

namespace {

using analyze::Analysis;
using analyze::Deviation;
using analyze::Difference;
using analyze::Gain;
using analyze::Link;
using analyze::span_text;
using analyze::Step;

constexpr std::size_t most_lines = 12;
// Of a step that takes longer, so much less is what one asks for.
constexpr Duration usual_gain = std::chrono::seconds(1);

std::string padded(std::string text, std::size_t to) {
  const std::size_t width = text::display_width(text);
  text.append(to > width ? to - width : 0, ' ');
  return text;
}

const std::string& name_of(const Analysis& analysis, std::size_t step) {
  return analysis.course().steps[step].name;
}

std::size_t name_width(const Analysis& analysis) {
  std::size_t width = 0;
  for (const Step& step : analysis.course().steps) width = std::max(width, text::display_width(step.name));
  return std::min<std::size_t>(width, 40) + 2;
}

std::string_view done(bool is_stop) { return is_stop ? "all gone" : "all ready"; }

// What the last link ends with has no name of its own: it is the end of the step.
std::string until_text(const Link& link, bool is_stop) {
  if (is_stop) return "until it was gone";
  return link.condition.empty() || link.condition == "ready" ? "until it was ready"
                                                             : "until " + link.condition;
}

std::string path_text(const Analysis& analysis, bool is_stop) {
  std::string out = "\ncritical chain:\n";
  const std::size_t width = name_width(analysis);
  for (const Link& link : analysis.critical_path()) {
    const Step& step = analysis.course().steps[link.step];
    out += "  " + padded(span_text(step.begin), 12) + padded(step.name, width) +
           padded(span_text(link.took), 12) + until_text(link, is_stop);
    if (link.waited >= std::chrono::milliseconds(1))
      out += ", " + span_text(link.waited) + " after it could begin";
    out += "\n";
  }
  return out;
}

std::string gain_line(const Analysis& analysis, const Gain& gain, bool is_stop) {
  const std::string& name = name_of(analysis, gain.step);
  if (gain.earlier <= Duration{0})
    return "  " + name + " " + span_text(gain.faster) + " faster → nothing is " +
           (is_stop ? "gone" : "ready") + " any earlier\n";
  return "  " + name + " " + span_text(gain.faster) + " faster → " + std::string(done(is_stop)) + " " +
         span_text(gain.earlier) + " earlier\n";
}

std::string gains_text(const Analysis& analysis, const AnalysisReport& report) {
  if (!report.asked.empty()) {
    std::string out = "\nwhat if:\n";
    for (const Gain& gain : report.asked) out += gain_line(analysis, gain, report.is_stop);
    return out;
  }
  std::string out;
  std::size_t lines = 0;
  for (const Gain& most : analysis.gains()) {
    if (++lines > most_lines) break;
    const Duration faster = std::min(most.faster, usual_gain);
    out += gain_line(
        analysis,
        {.step = most.step, .faster = faster, .earlier = analysis.end() - analysis.end_if(most.step, faster)},
        report.is_stop);
  }
  return out.empty() ? out : "\nwhat if:\n" + out;
}

std::string slack_text(const Analysis& analysis) {
  std::vector<std::size_t> steps;
  for (std::size_t i = 0; i < analysis.course().steps.size(); ++i) {
    if (!analysis.is_critical(i)) steps.push_back(i);
  }
  if (steps.empty()) return {};
  std::ranges::sort(steps, {}, [&](std::size_t i) { return std::pair(analysis.slack(i), i); });
  std::string out = "\nslack (so much longer would have changed nothing):\n";
  for (std::size_t n = 0; n < std::min(steps.size(), most_lines); ++n)
    out += "  " + padded(name_of(analysis, steps[n]), name_width(analysis)) +
           span_text(analysis.slack(steps[n])) + "\n";
  if (steps.size() > most_lines) out += "  and " + std::to_string(steps.size() - most_lines) + " more\n";
  return out;
}

std::string deviation_text(const Deviation& one) {
  return span_text(one.latest) + ", " + (one.by() >= Duration{0} ? "+" : "") + span_text(one.by()) +
         " against its median";
}

std::string trend_text(const AnalysisReport& report) {
  const auto whole = analyze::deviation_of_whole(report.observations);
  if (!whole) return {};
  std::string out = "\ntrend of the last " + std::to_string(report.observations.size()) + ":\n";
  out += "  the whole: " + deviation_text(*whole) + "\n";
  const auto all = analyze::deviations(report.observations);
  if (!all.empty() && all.front().by() > Duration{0})
    out += "  slowest against its own: " + all.front().name + ", " + deviation_text(all.front()) + "\n";
  return out;
}

std::string quoted(std::string_view text) { return text::json_string(text); }
std::string number(Duration span) { return std::to_string(span.count()); }

std::string json_of(const Analysis& analysis, const Gain& gain) {
  return R"({"service":)" + quoted(name_of(analysis, gain.step)) + R"(,"faster_ns":)" + number(gain.faster) +
         R"(,"earlier_ns":)" + number(gain.earlier) + "}";
}

std::string json_of(const Deviation& one) {
  return R"({"service":)" + (one.name.empty() ? "null" : quoted(one.name)) + R"(,"latest_ns":)" +
         number(one.latest) + R"(,"median_ns":)" + number(one.median) + R"(,"of":)" + std::to_string(one.of) +
         "}";
}

template <class List, class Write>
std::string list(const List& all, Write write) {
  std::string out = "[";
  for (const auto& one : all) out += (out.size() == 1 ? "" : ",") + write(one);
  return out + "]";
}

std::string steps_json(const Analysis& analysis) {
  std::string out = "[";
  for (std::size_t i = 0; i < analysis.course().steps.size(); ++i) {
    const Step& step = analysis.course().steps[i];
    out += i == 0 ? "" : ",";
    out += R"({"name":)" + quoted(step.name) + R"(,"wanted_ns":)" + number(step.wanted) + R"(,"begin_ns":)" +
           number(step.begin) + R"(,"end_ns":)" + number(step.end) + R"(,"slack_ns":)" +
           number(analysis.slack(i)) + R"(,"critical":)" + (analysis.is_critical(i) ? "true" : "false") + "}";
  }
  return out + "]";
}

std::string maybe(const std::optional<Duration>& span) { return span ? number(*span) : "null"; }

std::vector<Difference> differences(const ComparedRuns& runs) {
  return analyze::compare(observation_of(*runs.before), observation_of(*runs.after));
}

}  // namespace

std::string analysis_text(const AnalysisReport& report, const Analysis& analysis) {
  std::string out =
      report.stack + (report.is_stop ? " went down in " : " came up in ") + span_text(analysis.end());
  if (!report.at.empty()) out += " (" + report.at + (report.from_history ? ", from its history" : "") + ")";
  out += "\n";
  for (const std::string& one : report.remarks) out += "  " + one + "\n";
  if (analysis.course().steps.empty()) return out;
  out += path_text(analysis, report.is_stop) + gains_text(analysis, report) + slack_text(analysis) +
         trend_text(report);
  return out;
}

std::string analysis_json(const AnalysisReport& report, const Analysis& analysis) {
  std::string out = R"({"stack":)" + quoted(report.stack) + R"(,"what":)" +
                    (report.is_stop ? R"("stop")" : R"("start")") + R"(,"source":)" +
                    (report.from_history ? R"("history")" : R"("daemon")");
  out += R"(,"at":)" + (report.at.empty() ? "null" : quoted(report.at)) + R"(,"took_ns":)" +
         number(analysis.end());
  out += R"(,"critical_path":)" + list(analysis.critical_path(), [&](const Link& link) {
           return R"({"service":)" + quoted(name_of(analysis, link.step)) + R"(,"waited_ns":)" +
                  number(link.waited) + R"(,"took_ns":)" + number(link.took) + R"(,"until":)" +
                  (link.condition.empty() ? "null" : quoted(link.condition)) + "}";
         });
  out += R"(,"services":)" + steps_json(analysis);
  out += R"(,"gains":)" + list(analysis.gains(), [&](const Gain& gain) { return json_of(analysis, gain); });
  out += R"(,"what_if":)" + list(report.asked, [&](const Gain& gain) { return json_of(analysis, gain); });
  const auto whole = analyze::deviation_of_whole(report.observations);
  out += R"(,"trend":)" + (whole ? R"({"whole":)" + json_of(*whole) + R"(,"services":)" +
                                       list(analyze::deviations(report.observations),
                                            [](const Deviation& one) { return json_of(one); }) +
                                       "}"
                                 : "null");
  out += R"(,"remarks":)" + list(report.remarks, [](const std::string& one) { return quoted(one); });
  return out + "}\n";
}

std::string comparison_text(const ComparedRuns& runs) {
  const std::string what = runs.is_stop ? "stop" : "start";
  std::string out = runs.stack + ": " + what + " of " + wall_text(runs.before->at) + " took " +
                    span_text(runs.before->took) + ", " + what + " of " + wall_text(runs.after->at) + " " +
                    span_text(runs.after->took) + " (" + (runs.after->took >= runs.before->took ? "+" : "") +
                    span_text(runs.after->took - runs.before->took) + ")\n\n";
  const auto all = differences(runs);
  std::size_t width = 8;
  for (const Difference& one : all) width = std::max(width, text::display_width(one.name));
  out += "  " + padded("service", width + 2) + padded("before", 14) + padded("after", 14) + "difference\n";
  for (const Difference& one : all) {
    out += "  " + padded(one.name, width + 2) + padded(one.before ? span_text(*one.before) : "-", 14) +
           padded(one.after ? span_text(*one.after) : "-", 14);
    out += (one.before && one.after ? std::string(one.by() >= Duration{0} ? "+" : "") + span_text(one.by())
            : one.after             ? "is new"
                                    : "is gone") +
           std::string("\n");
  }
  return out;
}

std::string comparison_json(const ComparedRuns& runs) {
  const auto side = [](const daemon::HistoryEntry& entry) {
    return R"({"at":)" + quoted(wall_text(entry.at)) + R"(,"took_ns":)" + number(entry.took) + "}";
  };
  return R"({"stack":)" + quoted(runs.stack) + R"(,"what":)" + (runs.is_stop ? R"("stop")" : R"("start")") +
         R"(,"before":)" + side(*runs.before) + R"(,"after":)" + side(*runs.after) + R"(,"services":)" +
         list(differences(runs),
              [](const Difference& one) {
                return R"({"name":)" + quoted(one.name) + R"(,"before_ns":)" + maybe(one.before) +
                       R"(,"after_ns":)" + maybe(one.after) + "}";
              }) +
         "}\n";
}

std::string wall_text(daemon::WallMoment at) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace belfry::cli
