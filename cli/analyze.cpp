// belfry analyze: what a start, or a stop, took its time for.
#include <algorithm>
#include <iostream>
#include <utility>

#include "analyze/gantt.hpp"
#include "cli/analysis_report.hpp"
#include "cli/commands.hpp"
#include "cli/courses.hpp"
#include "cli/files.hpp"
#include "cli/locate.hpp"
#include "cli/past_runs.hpp"
#include "cli/run_files.hpp"
#include "config/model/exit_codes.hpp"
#include "report/trace.hpp"
#include "text/escape.hpp"
#include "text/suggest.hpp"

namespace belfry::cli {
namespace {

using analyze::Analysis;
using daemon::HistoryEntry;
using Kind = daemon::HistoryEntry::Kind;

constexpr std::size_t most_observations = 20;  // of a trend

Failure no_such(std::string message, std::string next_step) {
  return {exit_code::unavailable, std::move(message), std::move(next_step)};
}

// What there is to analyse, and whose file it is from.
struct Subject {
  AnalysisReport report;
  NamedCourse course;
};

std::vector<analyze::Observation> observations_of(const std::vector<HistoryEntry>& entries) {
  std::vector<analyze::Observation> all;
  for (const HistoryEntry& one : entries) {
    if (one.succeeded || one.kind == Kind::stop) all.push_back(observation_of(one));
  }
  if (all.size() > most_observations) all.erase(all.begin(), all.end() - most_observations);
  return all;
}

Expected<Subject> from_history(const Invocation& asked) {
  const auto loaded = load(asked);
  if (!loaded) return std::unexpected(loaded.error());
  const Kind kind = asked.analyze.stop ? Kind::stop : Kind::start;
  const std::string path = history_path(asked, loaded->stack.name);
  auto entries = read_entries(path, kind);
  if (!entries) return std::unexpected(entries.error());
  if (entries->empty())
    return std::unexpected(no_such("cannot analyze: there is no " +
                                       std::string(asked.analyze.stop ? "stop" : "start") +
                                       " in the history in " + path,
                                   "belfry run writes it"));
  const HistoryEntry& last = entries->back();
  Subject subject;
  subject.course =
      asked.analyze.stop ? course_of_stop(last, loaded->stack) : course_of_start(last, loaded->stack);
  subject.report = {.stack = loaded->stack.name,
                    .is_stop = asked.analyze.stop,
                    .from_history = true,
                    .at = wall_text(last.at),
                    .remarks = {},
                    .asked = {},
                    .observations = observations_of(*entries)};
  if (!last.succeeded && !asked.analyze.stop)
    subject.report.remarks.push_back("it did not come up: " + last.reason);
  return subject;
}

Expected<Subject> from_daemon(Client& client, const Invocation& asked) {
  const auto reply = client.request("GET", "/v1/timeline");
  if (!reply) return std::unexpected(reply.error());
  const auto timeline = reply->status == 200 ? client::read_timeline(reply->body) : std::nullopt;
  if (!timeline) return std::unexpected(no_such("cannot analyze: " + detail_of(*reply), ""));
  Subject subject;
  subject.course = course_of(*timeline);
  subject.report.stack = timeline->stack;
  subject.report.at = timeline->begun;
  if (!timeline->up_ns) subject.report.remarks.emplace_back("it is not up yet: this is what has come so far");
  // There may be none, and then there is no trend.
  if (const auto entries = read_entries(history_path(asked, timeline->stack), Kind::start))
    subject.report.observations = observations_of(*entries);
  return subject;
}

// What runs, else what is known of the last run.
Expected<Subject> find_subject(const Invocation& asked) {
  if (asked.analyze.stop || !asked.analyze.history.empty()) return from_history(asked);
  auto client = connect_to_daemon(asked);
  if (client) return from_daemon(*client, asked);
  if (client.error().exit_code != exit_code::unavailable || !asked.socket.empty())
    return std::unexpected(client.error());
  auto subject = from_history(asked);
  if (!subject) return std::unexpected(client.error());
  subject->report.remarks.insert(subject->report.remarks.begin(),
                                 "no daemon answers: this is its last start");
  return subject;
}

Expected<std::vector<analyze::Gain>> answers(const Analysis& analysis, const std::vector<Faster>& asked) {
  std::vector<analyze::Gain> gains;
  std::vector<std::string_view> known;
  for (const analyze::Step& step : analysis.course().steps) known.push_back(step.name);
  for (const Faster& one : asked) {
    const auto found = std::ranges::find(known, one.service);
    if (found == known.end()) {
      const std::string_view near = text::nearest(one.service, known);
      return std::unexpected(Failure{exit_code::usage,
                                     "cannot say what if " + one.service +
                                         " were faster: it has no part in this" +
                                         (near.empty() ? "" : "; did you mean " + std::string(near) + "?"),
                                     ""});
    }
    const auto step = static_cast<std::size_t>(found - known.begin());
    gains.push_back(
        {.step = step, .faster = one.by, .earlier = analysis.end() - analysis.end_if(step, one.by)});
  }
  return gains;
}

// Beside the words, or instead of them.
int write_picture(const Analysis& analysis, const AnalysisReport& report, const std::string& path) {
  const std::string title =
      report.stack + (report.is_stop ? ": stop" : ": start") + (report.at.empty() ? "" : " of " + report.at);
  const auto written = write_file(
      path, analyze::gantt(analysis, {.title = title, .end = report.is_stop ? "all stopped" : "all ready"}));
  return written ? exit_code::ok : client::report(written.error());
}

int write_trace(const Invocation& asked) {
  const auto run = find_run(asked);
  if (!run) return report(run.error());
  const auto written = write_file(asked.trace, report::otlp_json(*run));
  return written ? exit_code::ok : report(written.error());
}

int compare(const Invocation& asked, std::pair<std::size_t, std::size_t> numbers) {
  const auto loaded = load(asked);
  if (!loaded) return report(loaded.error());
  const Kind kind = asked.analyze.stop ? Kind::stop : Kind::start;
  const std::string path = history_path(asked, loaded->stack.name);
  const auto entries = read_entries(path, kind);
  if (!entries) return report(entries.error());
  const std::size_t most = std::max(numbers.first, numbers.second);
  if (most > entries->size())
    return report(no_such(
        "cannot compare: there are only " + std::to_string(entries->size()) + " in the history in " + path,
        "1 is the newest"));
  const ComparedRuns runs{.stack = loaded->stack.name,
                          .is_stop = asked.analyze.stop,
                          .before = &(*entries)[entries->size() - numbers.first],
                          .after = &(*entries)[entries->size() - numbers.second]};
  std::cout << (asked.json ? text::visible_json(comparison_json(runs))
                           : text::visible_lines(comparison_text(runs)));
  return exit_code::ok;
}

}  // namespace

int analyze(const Invocation& asked) {
  const auto faster = what_ifs(asked.analyze);
  if (!faster) return report(faster.error());
  const auto numbers = compared(asked.analyze);
  if (!numbers) return report(numbers.error());
  if (numbers->first != 0) return compare(asked, *numbers);
  if (!asked.trace.empty()) {
    const int code = write_trace(asked);
    if (code != exit_code::ok || asked.trace == "-") return code;
  }
  auto subject = find_subject(asked);
  if (!subject) return report(subject.error());
  const Analysis analysis(std::move(subject->course.course));
  AnalysisReport& said = subject->report;
  said.remarks.insert(said.remarks.end(), subject->course.remarks.begin(), subject->course.remarks.end());
  if (analysis.course().steps.empty() && said.remarks.empty())
    said.remarks.emplace_back("nothing has come up yet");
  auto gains = answers(analysis, *faster);
  if (!gains) return report(gains.error());
  said.asked = std::move(*gains);
  if (!asked.analyze.svg.empty()) {
    const int code = write_picture(analysis, said, asked.analyze.svg);
    if (code != exit_code::ok || asked.analyze.svg == "-") return code;
  }
  std::cout << (asked.json ? text::visible_json(analysis_json(said, analysis))
                           : text::visible_lines(analysis_text(said, analysis)));
  return exit_code::ok;
}

}  // namespace belfry::cli
