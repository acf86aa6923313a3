// What the services know that can tell why something is not up; daemon/why makes an explanation of it.
#include <algorithm>
#include <unordered_map>

#include "config/model/enum_names.hpp"
#include "daemon/service/description.hpp"
#include "daemon/service/stop_rules.hpp"
#include "daemon/supervisor/schedules.hpp"
#include "daemon/supervisor/supervisor.hpp"
#include "daemon/why/sentence.hpp"

namespace belfry::daemon {

using config::Condition;
using config::Probe;

namespace {

constexpr std::size_t most_log_lines = 10;
constexpr std::size_t most_past_lines = 3;
// Of more that do not end the processes are not looked for: that reads /proc for each of them.
constexpr std::size_t most_survivors_sought = 16;
// Of a crowd that has failed the lines of the first are enough.
constexpr std::size_t most_logs_read = 100;

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

// "db exited with code 1" of db: "it exited with code 1".
std::string without_subject(std::string text, std::string_view name) {
  const std::string start = "cannot start " + std::string(name) + ": ";
  if (text.starts_with(start)) return text.substr(start.size());
  if (text.starts_with(std::string(name) + " killed by")) return "it was" + text.substr(name.size());
  if (text.starts_with(std::string(name) + " ")) return "it" + text.substr(name.size());
  return text;
}

// What ended it, and what is known beside that, apart from each other.
void add_words(const Service& service, ServiceFacts& facts) {
  const Record& record = service.record();
  Error cause = record.cause;
  if (record.run.gave_up && facts.state == State::failed) {
    facts.gave_up_after = service.spec().restart->limit;
    if (cause.because() != nullptr) cause = Error(*cause.because());
  }
  if (!cause) return;
  std::string words = cause.text();
  const std::string& finding = record.run.finding;
  // Of a signal it only says more about it.
  const bool is_the_reason = !record.run.exit || !record.run.exit->signaled;
  if (is_the_reason && !finding.empty() && words.ends_with(": " + finding)) {
    facts.finding = one_line(finding);
    words.resize(words.size() - finding.size() - 2);
    facts.taken_port = record.run.taken_port;
    facts.taken_by = record.run.taken_by;
  }
  facts.words = one_line(without_subject(std::move(words), service.name()));
  if (facts.reason == Reason::edge_timeout) facts.words.insert(0, "it ");
}

bool is_of_a_hook(const Error& cause, std::string_view name) {
  const std::string text = cause.text();
  return std::ranges::any_of(std::initializer_list<Hook>{Hook::pre_start, Hook::post_start}, [&](Hook which) {
    return text.find(text_of(which, name)) != std::string::npos;
  });
}

Reason reason_of_failure(const Service& service) {
  const Record& record = service.record();
  const Run& run = record.run;
  if (record.stuck) return Reason::unkillable;
  switch (record.entered_by) {
    case Event::start_refused: return Reason::cannot_start;
    case Event::start_failed: return Reason::not_now;
    case Event::edge_timed_out: return Reason::edge_timeout;
    case Event::unkillable: return Reason::unkillable;
    default: break;
  }
  if (run.watchdog_expired) return Reason::silent;
  if (run.hung) return Reason::not_alive;
  if (run.left_by == Event::start_timed_out) return Reason::not_in_time;
  if (run.left_by == Event::exited) return Reason::ended;
  return record.cause && is_of_a_hook(record.cause, service.name()) ? Reason::hook : Reason::none;
}

Reason reason_of(const Service& service) {
  const Record& record = service.record();
  switch (record.state) {
    case State::failed:
    case State::backoff: return reason_of_failure(service);
    case State::inactive:
      if (record.stopped_by_command) return Reason::by_command;
      if (record.stopped_by_loss) return Reason::by_loss;
      return service.spec().enabled ? Reason::never_asked : Reason::not_enabled;
    default: return Reason::none;
  }
}

Missing missing_of(Probe::Kind kind) {
  switch (kind) {
    case Probe::Kind::notify: return Missing::message;
    case Probe::Kind::fd: return Missing::newline;
    case Probe::Kind::log: return Missing::line;
    case Probe::Kind::port:
    case Probe::Kind::unix_socket: return Missing::listener;
    case Probe::Kind::file: return Missing::file;
    case Probe::Kind::exec: return Missing::command;
    default: return Missing::answer;
  }
}

std::string words_of_missing(const Service& service, const Probe& probe) {
  switch (probe.kind) {
    case Probe::Kind::notify: return "it has not sent READY=1";
    case Probe::Kind::fd: {
      const bool newline = probe.dialect == config::FdDialect::s6;
      return std::string("it has written no ") + (newline ? "newline" : "byte") + " to descriptor " +
             std::to_string(probe.fd);
    }
    case Probe::Kind::log: {
      const std::string what = "`" + service.shown_line(probe.target) + "`";
      if (probe.times == 1) return "no line of its output matches " + what;
      return "fewer than " + std::to_string(probe.times) + " lines of its output match " + what;
    }
    default: return {};
  }
}

// What keeps it from being ready now; why it starts is history.
void add_readiness(const Service& service, ServiceFacts& facts) {
  const Readiness* readiness = service.readiness();
  facts.method = readiness_method(service);
  if (const auto hook = service.hook()) {
    static constexpr std::string_view names[] = {"pre_start", "post_start", "pre_stop", "post_stop"};
    facts.hook = names[static_cast<std::size_t>(*hook)];
    if (is_of_start(*hook)) facts.missing = Missing::hook;
  }
  if (readiness == nullptr) return;
  if (const Error& last = readiness->last_error()) facts.probe_error = one_line(last.text());
  if (facts.state != State::starting && facts.state != State::unready) return;
  const auto& probes = service.spec().ready.probes;
  for (std::uint32_t i = 0; i < probes.size(); ++i) {
    if ((readiness->truths() >> i & 1U) != 0) continue;
    if (facts.missing == Missing::nothing) facts.missing = missing_of(probes[i].kind);
    if (facts.probe_error.empty()) facts.probe_error = words_of_missing(service, probes[i]);
    break;
  }
  if (facts.state == State::unready && facts.probe_error.empty() && service.record().cause)
    facts.probe_error = one_line(service.record().cause.text());
}

std::string past_text(const PastRun& run) {
  std::string text = "#" + std::to_string(run.number) + " ";
  text += run.end.empty() ? "ended" : run.end;
  text += " after " + span_text(run.wall);
  if (run.ready_after) return text + ", ready after " + span_text(*run.ready_after);
  return text + ", never ready";
}

void add_past(const Service& service, ServiceFacts& facts) {
  const PastRuns& runs = service.past_runs();
  for (std::size_t i = 0; i < std::min(runs.size(), most_past_lines); ++i)
    facts.past.push_back(past_text(runs[runs.size() - 1 - i]));
}

void add_what_is_due(const Service& service, ServiceFacts& facts) {
  const Record& record = service.record();
  const TimePoint now = service.moment().at;
  const auto until = [&](TimePoint due) {
    if (due != TimePoint::max()) facts.next_in = std::max(due - now, Duration::zero());
  };
  switch (record.state) {
    case State::backoff: return until(record.retry_at);
    case State::starting: return until(service.start_deadline());
    case State::stopping: {
      const TimePoint due = kill_deadline(record, service.spec(), service.moment());
      facts.was_killed = due <= now;
      return until(due);
    }
    default: return;
  }
}

std::string condition_text(const config::Dependency& edge) {
  return edge.condition == Condition::own_bell ? *edge.bell : std::string(config::name_of(edge.condition));
}

}  // namespace

// Finds the services that explain others, beginning with those that were asked for. Each is numbered when it
// is first met. Owner: the call. Cancellation: none, it never waits.
class WhyCollector {
 public:
  WhyCollector(const ServiceRuntime& runtime, const Schedules& schedules, StackFacts& stack)
      : runtime_(runtime), schedules_(schedules), stack_(stack) {}

  std::size_t number_of(const Service& service) {
    const auto [known, is_new] = numbers_.try_emplace(&service, found_.size());
    if (is_new) found_.push_back(&service);
    return known->second;
  }
  void describe_all() {
    for (std::size_t i = 0; i < found_.size(); ++i) {
      ServiceFacts facts = describe(*found_[i]);
      stack_.services.push_back(std::move(facts));
    }
  }

 private:
  ServiceFacts describe(const Service& service);
  void add_edges(const Service& service, ServiceFacts& facts);
  void add_slots(const Service& service, ServiceFacts& facts);
  void add_who_stops_first(const Service& service, ServiceFacts& facts);
  void add_log(const Service& service, ServiceFacts& facts);
  void add_survivors(const Service& service, ServiceFacts& facts);
  void add_schedule(const Service& service, ServiceFacts& facts);

  const ServiceRuntime& runtime_;
  const Schedules& schedules_;
  StackFacts& stack_;
  std::unordered_map<const Service*, std::size_t> numbers_;
  std::vector<const Service*> found_;
  std::size_t survivors_sought_ = 0, logs_read_ = 0;
};

ServiceFacts WhyCollector::describe(const Service& service) {
  const Record& record = service.record();
  ServiceFacts facts;
  facts.name = service.name();
  facts.type = service.spec().type;
  facts.is_remote = service.is_remote();
  facts.state = record.state;
  facts.holds = service.default_level();
  facts.wanted = record.wanted;
  facts.for_long = service.moment().at - record.since;
  facts.is_to_stop = record.intent != Intent::run && is_running(record.state);
  facts.comes_again = record.intent == Intent::again;
  facts.reason = reason_of(service);
  facts.failures = record.history.attempts;
  facts.runs = record.runs;
  facts.was_ready = record.run.ready_at.has_value();
  facts.status = one_line(std::string(record.run.said.status()));
  if (const pid_t pid = service.main_pid(); pid != 0) facts.pid = pid;
  if (service.is_gate()) {
    facts.members = service.edges().size();
    facts.needed = service.members_needed();
    facts.holding = service.members_that_hold();
  }
  if (record.state != State::ready && record.state != State::starting) add_words(service, facts);
  add_readiness(service, facts);
  add_past(service, facts);
  add_what_is_due(service, facts);
  add_survivors(service, facts);
  add_schedule(service, facts);
  const bool waits = record.state == State::waiting || record.state == State::blocked;
  if (!waits) add_log(service, facts);
  if (waits || facts.reason == Reason::edge_timeout) add_edges(service, facts);
  if (record.state == State::waiting && facts.waits.empty()) {
    add_slots(service, facts);
    if (!service.awaited_news().empty()) facts.news = one_line(waiting_for(service).front());
  }
  if (facts.is_to_stop && record.state != State::stopping && record.in_order)
    add_who_stops_first(service, facts);
  return facts;
}

void WhyCollector::add_edges(const Service& service, ServiceFacts& facts) {
  const bool enough = service.is_gate() && service.edges_hold();
  if (enough) return;
  for (const Edge& edge : service.edges()) {
    if (service.is_gate() ? edge.holds() : edge.lets_start()) continue;
    WaitFacts wait{.on = number_of(service_of(*edge.on)),
                   .condition = condition_text(*edge.spec),
                   .required = edge.spec->required};
    if (edge.spec->timeout && service.state() == State::waiting) {
      const Moment since{.at = service.record().since, .paused = service.record().paused_before_since};
      const TimePoint due = since.plus(*edge.spec->timeout, service.moment());
      wait.given_up = std::max(due - service.moment().at, Duration::zero());
    }
    facts.waits.push_back(std::move(wait));
  }
}

void WhyCollector::add_slots(const Service& service, ServiceFacts& facts) {
  if (!service.start_slots().full()) return;
  for (const auto& other : runtime_.services) {
    if (other->state() == State::starting && !other->spec().command.empty())
      facts.waits.push_back({.on = number_of(*other), .condition = {}, .for_a_slot = true});
  }
}

// Those that run on top of it; gates and externals have nothing to stop, so the order goes through them.
void WhyCollector::add_who_stops_first(const Service& service, ServiceFacts& facts) {
  std::vector<const Node*> todo = {&service};
  std::vector<bool> seen(runtime_.services.size());
  while (!todo.empty()) {
    const Node* node = todo.back();
    todo.pop_back();
    for (const Node* dependent : node->dependents()) {
      if (seen[dependent->index()]) continue;
      seen[dependent->index()] = true;
      if (dependent->is_transparent())
        todo.push_back(dependent);
      else if (is_running(dependent->state()) && !dependent->is_done_with(*node))
        facts.waits.push_back(
            {.on = number_of(service_of(*dependent)), .condition = "stopped", .to_stop = true});
    }
  }
}

void WhyCollector::add_log(const Service& service, ServiceFacts& facts) {
  if (logs_read_ == most_logs_read) return;
  ++logs_read_;
  for (const std::string& line :
       runtime_.resources.last_lines(service.index(), service.record().runs, most_log_lines))
    facts.log.push_back(service.shown_line(line));
}

void WhyCollector::add_survivors(const Service& service, ServiceFacts& facts) {
  if (service.state() != State::stopping || survivors_sought_ == most_survivors_sought) return;
  ++survivors_sought_;
  facts.survivors = text_of(service.survivors());
}

void WhyCollector::add_schedule(const Service& service, ServiceFacts& facts) {
  const std::optional<ScheduleView> schedule = schedules_.view(service);
  if (!schedule || !schedule->next) return;
  facts.schedule = schedule->text;
  facts.due_in = std::max(*schedule->next - service.moment().at, Duration::zero());
  if (facts.reason == Reason::never_asked) facts.reason = Reason::not_due;
}

StackFacts Supervisor::why_facts(std::optional<std::size_t> service) const {
  StackFacts stack;
  stack.stack = runtime_.stack_name;
  stack.ready = stack_ready();
  stack.shutting_down = shutting_down_;
  stack.about_stack = !service;
  WhyCollector collector(runtime_, *schedules_, stack);
  if (service) {
    stack.asked.push_back(collector.number_of(*services_[*service]));
  } else {
    for (const auto& one : services_) {
      const bool leaves = shutting_down_ && is_running(one->state()) && one->state() != State::ready;
      if (counted_unready_[one->index()] || leaves) stack.asked.push_back(collector.number_of(*one));
    }
  }
  collector.describe_all();
  return stack;
}

}  // namespace belfry::daemon
