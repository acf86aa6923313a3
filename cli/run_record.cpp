#include "cli/run_record.hpp"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <deque>
#include <utility>

#include "analyze/gantt.hpp"
#include "cli/analysis_report.hpp"
#include "cli/courses.hpp"
#include "cli/event_line.hpp"
#include "cli/stop_course.hpp"
#include "cli/stream_follower.hpp"
#include "cli/version.hpp"
#include "client/event_stream.hpp"
#include "client/events.hpp"
#include "client/json.hpp"
#include "client/log_lines.hpp"
#include "config/model/enum_names.hpp"
#include "report/page.hpp"

namespace belfry::cli {
namespace {

using client::EventRecord;
using client::Expected;
using client::Reply;
using report::Outcome;

constexpr std::size_t most_whys = 100;
// Of each service; of many services fewer, so that all of them are heard.
constexpr std::size_t most_lines = 200, least_lines = 10, most_lines_in_all = 8000;

std::int64_t nanoseconds_of(const std::string& rfc3339) {
  tm parts{};
  const char* rest = ::strptime(rfc3339.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return 0;
  const double fraction = *rest == '.' ? std::strtod(rest, nullptr) : 0;
  return static_cast<std::int64_t>(::timegm(&parts)) * 1'000'000'000 +
         static_cast<std::int64_t>(fraction * 1e9);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Expected<std::string> body_of(const RunSource& source, const std::string& target) {
  auto reply = source.get(target);
  if (!reply) return std::unexpected(reply.error());
  if (reply->status != 200) return std::unexpected(refused(reply->status, detail_of(*reply)));
  return std::move(reply->body);
}

Failure no_such_answer(const std::string& target) {
  return {exit_code::unavailable, "cannot understand what the daemon says of " + target, "belfry version"};
}

// W3C Trace Context: "00-" TRACE "-" SPAN "-" FLAGS, of whoever runs belfry.
void join_trace(report::Run& run) {
  const char* const given = std::getenv("TRACEPARENT");
  const std::string_view parent = given == nullptr ? "" : given;
  constexpr std::size_t length = 55, trace = 32, span = 16;
  if (parent.size() != length || parent.substr(0, 3) != "00-" || parent[3 + trace] != '-' ||
      parent[4 + trace + span] != '-')
    return;
  const std::string_view trace_id = parent.substr(3, trace), span_id = parent.substr(4 + trace, span);
  const auto is_id = [](std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos &&
           text.find_first_not_of('0') != std::string_view::npos;
  };
  if (!is_id(trace_id) || !is_id(span_id)) return;
  run.parent_trace = trace_id;
  run.parent_span = span_id;
}

void add_fact(report::Run& run, std::string what, std::string value) {
  run.facts.emplace_back(std::move(what), std::move(value));
}

report::Service service_of(const client::ServiceStatus& status) {
  return {.name = status.name,
          .type = status.type,
          .state = status.state,
          .ready = status.ready,
          .wanted = status.wanted,
          .restarts = status.restarts,
          .method = status.readiness_method,
          .error = status.last_error,
          .outputs = status.outputs};
}

}  // namespace

Expected<void> RunRecord::take_state(const RunSource& source) {
  const std::string about_times = "/v1/timeline";
  auto times = body_of(source, about_times);
  if (!times) return std::unexpected(times.error());
  auto timeline = client::read_timeline(*times);
  if (!timeline) return std::unexpected(no_such_answer(about_times));
  timeline_ = std::move(*timeline);
  auto services = body_of(source, "/v1/services");
  if (!services) return std::unexpected(services.error());
  run_ = report::Run{.stack = timeline_.stack, .version = std::string(version())};
  begun_ns_ = timeline_.begun_ns.value_or(client::number_member(*times, "now_monotonic_ns"));
  run_.begun_ns = nanoseconds_of(timeline_.begun);
  join_trace(run_);
  take_services(*services);
  if (auto taken = take_whys(source); !taken) return taken;
  NamedCourse course = course_of(timeline_);
  run_.start = report::Picture{.course = std::move(course.course),
                               .title = run_.stack + ": start of " + timeline_.begun,
                               .end = timeline_.up_ns ? "all ready" : "not all came up; the last of these",
                               .remarks = std::move(course.remarks)};
  sum_up();
  return {};
}

void RunRecord::take_services(std::string_view body) {
  const client::StackStatus status = client::read_status(body).value_or(client::StackStatus());
  const auto since_begin = [this](const std::optional<std::int64_t>& at) {
    return at ? std::optional(Duration(*at - begun_ns_)) : std::nullopt;
  };
  ready_ = status.ready;
  hopeless_ = !status.hopeless.empty();
  run_.until = Duration(status.now_ns - begun_ns_);
  run_.up = since_begin(timeline_.up_ns);
  for (std::size_t i = 0; i < status.services.size(); ++i) {
    report::Service& one = run_.services.emplace_back(service_of(status.services[i]));
    if (i >= timeline_.services.size() || timeline_.services[i].name != one.name) continue;
    const client::TimelineService& its = timeline_.services[i];
    one.incarnation = its.incarnation;
    one.wanted_at = since_begin(its.wanted_ns);
    one.starting = since_begin(its.starting_ns);
    one.started = since_begin(its.started_ns);
    one.ready_at = since_begin(its.ready_ns);
    one.stopped = since_begin(its.stopped_ns);
    for (const client::TimelineEdge& edge : its.edges)
      one.edges.push_back({.on = edge.on, .condition = edge.condition, .required = edge.required});
  }
}

// Of the stack, and of each service that is not ready.
Expected<void> RunRecord::take_whys(const RunSource& source) {
  why_.clear();
  if (ready_) return {};
  auto whole = body_of(source, "/v1/why?format=text");
  if (!whole) return std::unexpected(whole.error());
  why_ = first_line(*whole);
  run_.whys.push_back({.service = {}, .text = std::move(*whole)});
  std::size_t others = 0;
  for (const report::Service& service : run_.services) {
    if (!service.wanted || service.ready || ++others > most_whys) continue;
    auto text = body_of(source, "/v1/why/" + client::encoded(service.name) + "?format=text");
    if (!text) return std::unexpected(text.error());
    run_.whys.push_back({.service = service.name, .text = std::move(*text)});
  }
  if (others > most_whys)
    run_.remarks.push_back(std::to_string(others - most_whys) + " more services are not ready");
  return {};
}

void RunRecord::sum_up() {
  const auto is_ready = [](const report::Service& one) { return one.ready; };
  const auto ready = std::ranges::count_if(run_.services, is_ready);
  run_.outcome = ready_ ? Outcome::good : hopeless_ ? Outcome::bad : Outcome::open;
  run_.verdict = ready_ ? "ready" : "not ready";
  run_.headline = why_.empty() ? "Everything that is wanted is ready." : why_;
  if (!timeline_.begun.empty()) add_fact(run_, "began", timeline_.begun);
  if (run_.up) add_fact(run_, "ready after", analyze::span_text(*run_.up));
  add_fact(run_, "services",
           std::to_string(ready) + " of " + std::to_string(run_.services.size()) + " ready");
  add_fact(run_, "belfry", run_.version);
}

void RunRecord::ended(int code, const std::string& reason, const std::string& blame) {
  run_.outcome = code == exit_code::ok ? Outcome::good : Outcome::bad;
  run_.verdict = "exit " + std::to_string(code);
  std::string headline = "Ended: " + reason;
  for (const std::string& more : {blame, why_}) {
    if (!more.empty()) headline += "; " + more;
  }
  run_.headline = std::move(headline);
  add_fact(run_, "lasted", analyze::span_text(run_.until));
  run_.remarks.insert(run_.remarks.begin(),
                      "States are those of the moment at which the stack was asked to stop.");
}

Expected<void> RunRecord::take_story(const RunSource& source) {
  auto taken = take_events(source);
  if (taken) taken = take_lines(source);
  run_.stop = stop_of(run_);
  return taken;
}

Expected<void> RunRecord::take_events(const RunSource& source) {
  run_.events.clear();
  std::int64_t since = 0;
  for (bool more = true; more;) {
    const std::string target = "/v1/events?since=" + std::to_string(since);
    auto body = body_of(source, target);
    if (!body) return std::unexpected(body.error());
    const auto page = client::read_event_page(*body);
    if (!page) return std::unexpected(no_such_answer(target));
    (void)std::from_chars(page->run.data(), page->run.data() + page->run.size(), run_.id, 16);
    if (since == 0) run_.events_missed = static_cast<std::uint64_t>(std::max<std::int64_t>(page->missed, 0));
    for (const EventRecord& one : page->events) {
      run_.events.push_back({.at = Duration(one.monotonic_ns - begun_ns_),
                             .time = one.time,
                             .kind = one.kind,
                             .service = one.service,
                             .what = one.kind == "state"   ? one.state
                                     : one.kind == "stack" ? one.event
                                                           : one.bell,
                             .evidence = evidence_text(one),
                             .cause = one.cause,
                             .incarnation = one.incarnation});
      run_.until = std::max(run_.until, run_.events.back().at);
    }
    more = page->more && page->since > since;
    since = page->since;
  }
  return {};
}

Expected<void> RunRecord::take_lines(const RunSource& source) {
  const std::size_t each =
      std::clamp(most_lines_in_all / (run_.services.size() + 1), least_lines, most_lines);
  std::deque<report::Line> lines;
  client::EventReader reader;
  const auto take = [&](const client::StreamMessage& message) {
    auto line = message.type.empty() ? client::read_log_line(message.data) : std::nullopt;
    if (!line) return;
    line->line.resize(std::min(line->line.size(), report::longest_line + 1));
    lines.push_back({.time = std::move(line->time),
                     .service = std::move(line->service),
                     .stream = std::move(line->stream),
                     .text = std::move(line->line)});
    if (lines.size() > most_lines_in_all) lines.pop_front();
  };
  const auto reply = source.follow("/v1/logs?n=" + std::to_string(each), [&](std::string_view bytes) {
    for (const client::StreamMessage& message : reader.take(bytes)) take(message);
    return true;
  });
  if (!reply) return std::unexpected(reply.error());
  if (reply->status != 200) return std::unexpected(refused(reply->status, detail_of(*reply)));
  run_.lines.assign(std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
  return {};
}

namespace {

// In their order of the file, with the edges that it has now.
std::vector<report::Service> services_of(const config::Stack& stack, const daemon::HistoryEntry& entry) {
  std::vector<report::Service> all;
  for (const config::Service& service : stack.services) {
    const auto known = std::ranges::find(entry.services, service.name, &daemon::HistoryService::name);
    if (known == entry.services.end()) continue;
    report::Service& one = all.emplace_back(report::Service{
        .name = service.name, .type = std::string(config::name_of(service.type)), .state = known->result});
    one.ready = one.state == "ready" || one.state == "completed";
    one.wanted = true;
    one.restarts = known->attempts > 0 ? known->attempts - 1 : 0;
    if (known->waited) {
      one.wanted_at = Duration{0};
      one.starting = known->waited;
      if (known->took) one.ready_at = *known->waited + *known->took;
    }
    for (const config::Dependency& edge : service.depends_on)
      one.edges.push_back(
          {.on = edge.service, .condition = std::string(condition_of(edge)), .required = edge.required});
  }
  return all;
}

}  // namespace

report::Run run_of_history(const config::Stack& stack, const daemon::HistoryEntry* start,
                           const daemon::HistoryEntry* stop) {
  report::Run run{.stack = stack.name, .version = std::string(version())};
  join_trace(run);
  run.remarks.emplace_back(
      "No daemon answers: this is what the history knows of its last run, without journal and logs.");
  if (start != nullptr) {
    run.id = static_cast<std::uint64_t>(start->at.time_since_epoch().count());
    run.begun_ns = start->at.time_since_epoch().count();
    run.until = start->took;
    if (start->succeeded) run.up = start->took;
    run.services = services_of(stack, *start);
    run.outcome = start->succeeded ? Outcome::good : Outcome::bad;
    run.verdict = start->succeeded ? "came up" : "did not come up";
    run.headline = start->succeeded ? "Its last start has come up." : "Its last start: " + start->reason;
    add_fact(run, "began", wall_text(start->at));
    add_fact(run, start->succeeded ? "ready after" : "failed after", analyze::span_text(start->took));
    NamedCourse course = course_of_start(*start, stack);
    run.start = report::Picture{.course = std::move(course.course),
                                .title = stack.name + ": start of " + wall_text(start->at),
                                .end = start->succeeded ? "all ready" : "not all came up; the last of these",
                                .remarks = std::move(course.remarks)};
  }
  if (stop != nullptr) {
    if (stop->exit_code != exit_code::ok) run.outcome = Outcome::bad;
    run.verdict = "exit " + std::to_string(stop->exit_code);
    run.headline += (run.headline.empty() ? "" : " ") + std::string("Ended: ") + stop->reason;
    NamedCourse course = course_of_stop(*stop, stack);
    run.stop = report::Picture{.course = std::move(course.course),
                               .title = stack.name + ": stop of " + wall_text(stop->at),
                               .end = "all stopped",
                               .remarks = std::move(course.remarks)};
  }
  add_fact(run, "belfry", run.version);
  return run;
}

}  // namespace belfry::cli
