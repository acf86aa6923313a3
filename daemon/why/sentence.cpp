#include "daemon/why/sentence.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace belfry::daemon {

namespace {

using config::ServiceType;

// Of the line that a service has written last; whoever wants the rest reads the log.
constexpr std::size_t longest_quote = 160;

std::string cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "…";
}

std::string last_line(const ServiceFacts& facts) {
  const auto said = std::ranges::find_if(facts.log.rbegin(), facts.log.rend(),
                                         [](const std::string& line) { return !line.empty(); });
  return said == facts.log.rend() ? "" : "; its last line: \"" + cut(*said, longest_quote) + "\"";
}

// What has ended it, the reason before what followed from it.
std::string why_it_broke(const ServiceFacts& facts) {
  std::string text = facts.words;
  if (!facts.finding.empty()) text = facts.finding + (text.empty() ? "" : " (" + text + ")");
  if (text.empty()) text = "nobody knows why";
  if (facts.finding.empty() && facts.reason == Reason::ended) text += last_line(facts);
  if (facts.gave_up_after > 0) text += "; gave up after " + std::to_string(facts.gave_up_after) + " restarts";
  return text;
}

std::string broken(const ServiceFacts& facts) {
  switch (facts.reason) {
    case Reason::cannot_start: return "cannot be started: " + why_it_broke(facts);
    case Reason::not_now: return "cannot be started now: " + why_it_broke(facts);
    case Reason::unkillable: return "cannot be started again: " + why_it_broke(facts);
    default: break;
  }
  const bool came_up = facts.was_ready || facts.type == ServiceType::oneshot;
  return (came_up || facts.reason == Reason::edge_timeout ? "has failed: " : "does not start: ") +
         why_it_broke(facts);
}

std::string starting(const ServiceFacts& facts) {
  const std::string since = " (for " + span_text(facts.for_long) + ")";
  if (!facts.hook.empty()) return "is not ready: its " + facts.hook + " still runs" + since;
  if (facts.type == ServiceType::external)
    return "is not there: " + (facts.probe_error.empty() ? "nobody has answered yet" : facts.probe_error) +
           since;
  if (!facts.probe_error.empty()) return "is not ready: " + facts.probe_error + since;
  if (facts.type == ServiceType::oneshot) return "has not completed: it still runs" + since;
  return "is being started" + since;
}

std::string stopping(const ServiceFacts& facts) {
  if (!facts.hook.empty()) return "is stopping: its " + facts.hook + " still runs";
  std::string text = "is stopping, and does not end";
  if (!facts.survivors.empty()) text += ": " + facts.survivors;
  if (facts.was_killed) return text + "; killed, and still there";
  return facts.next_in ? text + "; killed in " + span_text(*facts.next_in) : text;
}

std::string resting(const ServiceFacts& facts) {
  switch (facts.reason) {
    case Reason::by_command: return "was stopped by command";
    case Reason::by_loss: return "was stopped: " + facts.words;
    case Reason::not_due:
      return "waits for its time (" + facts.schedule + ")" +
             (facts.due_in ? ", which comes in " + span_text(*facts.due_in) : "");
    case Reason::not_enabled: return "was not started: none of its profiles is active";
    default: return "was not started";
  }
}

std::string state_words(const ServiceFacts& facts) {
  switch (facts.state) {
    case State::failed: return broken(facts);
    case State::backoff:
      return broken(facts) + (facts.next_in ? "; retry in " + span_text(*facts.next_in) : "");
    case State::starting: return starting(facts);
    case State::stopping: return stopping(facts);
    case State::inactive: return resting(facts);
    case State::completed: return "has completed, and does not run";
    case State::unready:
      return "is not ready any more" + (facts.probe_error.empty() ? "" : ": " + facts.probe_error);
    case State::ready: return facts.is_to_stop ? "is to stop" : "is ready";
    case State::waiting:
    case State::blocked: break;
  }
  if (!facts.news.empty()) return "waits for " + facts.news;
  return facts.words.empty() ? "is about to start" : "is blocked: " + facts.words;
}

bool runs(State state) {
  return state == State::starting || state == State::ready || state == State::unready;
}

}  // namespace

std::string span_text(Duration span) {
  using std::chrono::duration_cast;
  const double seconds = std::chrono::duration<double>(std::max(span, Duration::zero())).count();
  const auto whole = std::llround(seconds);
  char text[48];
  if (seconds < 0.9995)
    std::snprintf(text, sizeof text, "%.0f ms", seconds * 1000);
  else if (seconds < 59.95)
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  else if (whole < 3600)
    std::snprintf(text, sizeof text, "%lld min %lld s", whole / 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%lld h %lld min", whole / 3600, whole / 60 % 60);
  return text;
}

std::string predicate_of(const ServiceFacts& facts, const WaitFacts* via) {
  if (facts.is_hidden) return "is " + std::string(name_of(facts.state));
  if (via == nullptr || via->to_stop) return state_words(facts);
  const std::string& asked = via->condition;
  if (via->for_a_slot) return "has its place, of those that may start at once, and " + state_words(facts);
  if (asked == "stopped" && (runs(facts.state) || facts.state == State::completed))
    return "has to stop first, and it is " + std::string(name_of(facts.state));
  if (asked == "completed" && facts.state == State::ready)
    return "has to complete first, and runs on (for " + span_text(facts.for_long) + ")";
  if (facts.state == State::ready && !facts.is_to_stop)
    return "is ready, and its bell '" + asked + "' has not rung" +
           (facts.probe_error.empty() ? "" : ": " + facts.probe_error);
  return state_words(facts);
}

std::string sentence_of(const ServiceFacts& facts, const WaitFacts* via) {
  return facts.name + " " + predicate_of(facts, via);
}

std::string waiting_text(const StackFacts& stack, const ServiceFacts& facts) {
  constexpr std::size_t most = 4;
  std::string text;
  if (facts.reason == Reason::edge_timeout && facts.state == State::failed)
    text = "has failed: " + facts.words;
  else if (!facts.waits.empty() && facts.waits.front().to_stop)
    text = "is to stop, after ";
  else if (!facts.waits.empty() && facts.waits.front().for_a_slot)
    return "waits for its turn: only so many may start at once (limits.parallel_starts)";
  else
    text = facts.state == State::blocked ? "is blocked by " : "waits for ";
  if (!text.ends_with(' ')) return text;
  for (std::size_t i = 0; i < std::min(facts.waits.size(), most); ++i) {
    const WaitFacts& wait = facts.waits[i];
    text += (i == 0 ? "" : ", ") + stack.services[wait.on].name;
    if (!wait.condition.empty()) text += " " + wait.condition;
    if (wait.given_up) text += " (gives up in " + span_text(*wait.given_up) + ")";
  }
  if (facts.waits.size() > most) text += " and " + std::to_string(facts.waits.size() - most) + " more";
  if (facts.members > 0)
    text += "; it has " + std::to_string(facts.holding) + " of the " + std::to_string(facts.needed) +
            " that it needs";
  return text;
}

}  // namespace belfry::daemon
