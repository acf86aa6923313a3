#include "daemon/http/api/events.hpp"
#include "daemon/http/api/unknown_name.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "config/model/enum_names.hpp"
#include "daemon/http/wire/request_target.hpp"

namespace belfry::daemon::http {
namespace {

constexpr std::size_t most_in_one_answer = 1000;  // about a millisecond of the loop's time
constexpr std::size_t most_names = 1024;
constexpr std::string_view retry = "retry: 2000\n\n";  // milliseconds

template <class T>
std::optional<T> number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// An event's id, or the bare number of one of this run; nothing for what is none that this run has given.
std::optional<Sequence> sequence_of(std::string_view id, const Journal& journal) {
  if (const auto dash = id.find('-'); dash != std::string_view::npos) {
    if (number<std::uint64_t>(id.substr(0, dash), 16) != journal.run()) return std::nullopt;
    id.remove_prefix(dash + 1);
  }
  const auto sequence = number<Sequence>(id);
  return sequence && *sequence < journal.next() ? sequence : std::nullopt;
}

// What `/v1/events?…` says.
struct EventQuery {
  EventFilter filter{.services = {}, .kinds = 0};
  std::optional<std::string> since;
  std::size_t limit = most_in_one_answer;
  std::string mistake;  // empty: none
};

std::string all_kinds() {
  std::string all;
  for (std::size_t i = 0; i < event_kind_count; ++i)
    (all += i == 0 ? "" : ", ") += name_of(static_cast<EventKind>(i));
  return all;
}

void read_parameter(EventQuery& query, const Parameter& parameter) {
  if (parameter.name == "service") {
    query.filter.services.push_back(parameter.value);
  } else if (parameter.name == "kind") {
    const auto kind = event_kind_named(parameter.value);
    if (kind) query.filter.kinds |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(*kind));
    if (!kind) query.mistake = "kind=" + parameter.value + " is not one of " + all_kinds();
  } else if (parameter.name == "since") {
    query.since = parameter.value;
  } else if (parameter.name == "limit") {
    const auto limit = number<std::size_t>(parameter.value);
    if (limit && *limit > 0) query.limit = std::min(*limit, most_in_one_answer);
    if (!limit || *limit == 0) query.mistake = "limit=" + parameter.value + " is not a number from 1 on";
  } else {
    query.mistake = "the parameter " + parameter.name + " is not one of service, kind, since, limit";
  }
}

EventQuery read_query(std::string_view text) {
  EventQuery query;
  QueryReader reader(text);
  Parameter parameter;
  while (query.mistake.empty() && reader.next(parameter)) read_parameter(query, parameter);
  if (reader.malformed()) query.mistake = "a % escape is malformed";
  if (query.filter.services.size() > most_names)
    query.mistake = "it names more than " + std::to_string(most_names) + " services; ask for all of them";
  if (query.filter.kinds == 0) query.filter.kinds = 0xFF;
  return query;
}

bool wants_one_answer(std::string_view accept) {
  return accept.contains(application_json) && !accept.contains(event_stream);
}

std::uint64_t missed_before(const Journal& journal, Sequence next) {
  return next < journal.first() ? journal.first() - next : 0;
}

// What is kept, as one answer; `more`: there is more of it than fits into one.
Response list_events(const Journal& journal, const FollowEvents& asked, std::size_t limit) {
  Response response = json(200, {});
  JsonWriter json(response.body);
  json.begin_object();
  std::string run;
  append_event_id(run, journal, 0);
  json.key("run").string(run.substr(0, run.find('-')));
  json.key("first").number(static_cast<std::int64_t>(journal.first()));
  json.key("last").number(static_cast<std::int64_t>(journal.next() - 1));
  json.key("missed").number(static_cast<std::int64_t>(missed_before(journal, asked.next)));
  json.key("events").begin_array();
  Sequence next = std::max(asked.next, journal.first());
  for (std::size_t shown = 0; next < journal.next() && shown < limit; ++next) {
    const JournalEvent event = journal.at(next);
    if (!asked.filter.shows(event)) continue;
    write_event(json, event, asked.in_public);
    ++shown;
  }
  json.end_array();
  json.key("since").number(static_cast<std::int64_t>(next - 1));
  json.key("more").boolean(next < journal.next());
  json.end_object();
  response.body += '\n';
  return response;
}

// Owner: the session. Lifecycle: shorter than the journal. Cancellation: of a wait for news.
class EventStream final : public BodyStream {
 public:
  EventStream(Journal& journal, FollowEvents asked)
      : journal_(journal), reader_(journal), asked_(std::move(asked)) {}

  Next fill(std::string& out, std::size_t room) override {
    const std::size_t enough = out.size() + room;
    if (!std::exchange(begun_, true)) begin(out);
    if (asked_.next < journal_.first()) {  // it went while the reader was here
      append_farewell(out);
      return Next::end;
    }
    // What is passed over takes time as well.
    constexpr Sequence most_looked_at = 2000;
    const Sequence end = std::min(journal_.next(), asked_.next + most_looked_at);
    for (; asked_.next < end && out.size() < enough; ++asked_.next) append(out, journal_.at(asked_.next));
    return asked_.next < journal_.next() ? Next::more : Next::nothing;
  }
  Task<Result<void>> news(Context& ctx) override {
    Result<void> came = co_await reader_.news(ctx);
    co_return came;
  }
  [[nodiscard]] std::size_t backlog() const override { return journal_.bytes_since(asked_.next); }
  [[nodiscard]] std::string_view heartbeat() const override { return ":\n\n"; }
  void append_farewell(std::string& out) override {
    out += "event: dropped\ndata: ";
    JsonWriter json(out);
    json.begin_object();
    json.key("because").string("the reader did not keep up; it can go on with its Last-Event-ID");
    json.end_object();
    out += "\n\n";
  }

 private:
  void begin(std::string& out) {
    out += retry;
    const std::uint64_t missed = missed_before(journal_, asked_.next);
    asked_.next = std::max(asked_.next, journal_.first());
    if (missed == 0 && asked_.unknown.empty()) return;
    out += "event: missed\ndata: ";
    JsonWriter json(out);
    json.begin_object();
    json.key("missed");
    asked_.unknown.empty() ? json.number(static_cast<std::int64_t>(missed)) : json.null();
    json.key("because").string(asked_.unknown.empty() ? "only the newest events are kept" : asked_.unknown);
    json.end_object();
    out += "\n\n";
  }
  void append(std::string& out, const JournalEvent& event) const {
    if (!asked_.filter.shows(event)) return;
    out += "id: ";
    append_event_id(out, journal_, event.sequence);
    out += "\ndata: ";
    JsonWriter json(out);
    write_event(json, event, asked_.in_public);
    out += "\n\n";
  }

  Journal& journal_;
  JournalReader reader_;
  FollowEvents asked_;
  bool begun_ = false;
};

}  // namespace

bool EventFilter::shows(const JournalEvent& event) const {
  if ((kinds >> static_cast<unsigned>(event.kind) & 1U) == 0) return false;
  return services.empty() || std::ranges::find(services, event.service) != services.end();
}

std::variant<Response, FollowEvents> understand_events(const Request& request, std::string_view query_text,
                                                       const StackView& stack, const Journal& journal,
                                                       bool in_public) {
  EventQuery query = read_query(query_text);
  if (!query.mistake.empty()) return problem(400, "cannot show events: " + query.mistake);
  for (const std::string& name : query.filter.services) {
    if (!stack.find(name)) return no_such_service(stack, name);
  }
  const bool one_answer = wants_one_answer(request.accept);
  FollowEvents asked{.filter = std::move(query.filter),
                     .next = one_answer ? 1 : journal.next(),
                     .unknown = {},
                     .in_public = in_public};
  if (query.since) {
    const auto since = sequence_of(*query.since, journal);
    if (!since)
      return problem(400, "cannot show events since " + *query.since +
                              ": no event of this run of belfry has that number");
    asked.next = *since + 1;
  }
  if (one_answer) return list_events(journal, asked, query.limit);
  // A browser that comes back knows better than the address that it was given at first.
  if (!request.last_event_id.empty()) {
    const auto last = sequence_of(request.last_event_id, journal);
    asked.next = last ? *last + 1 : journal.first();
    if (!last) asked.unknown = "Last-Event-ID is not of an event of this run of belfry";
  }
  return asked;
}

StreamedAnswer follow_events(Journal& journal, FollowEvents asked) {
  StreamedAnswer answer;
  answer.head.content_type = event_stream;
  answer.body = std::make_unique<EventStream>(journal, std::move(asked));
  return answer;
}

void append_event_id(std::string& out, const Journal& journal, Sequence sequence) {
  char digits[40];
  char* end = std::to_chars(digits, digits + 20, journal.run(), 16).ptr;
  *end++ = '-';
  end = std::to_chars(end, std::end(digits), sequence).ptr;
  out.append(digits, end);
}

void write_event(JsonWriter& json, const JournalEvent& event, bool in_public) {
  std::string time;
  append_rfc3339(time, event.wall);
  const bool of_stack = event.kind == EventKind::stack;
  json.begin_object();
  json.key("sequence").number(static_cast<std::int64_t>(event.sequence));
  json.key("time").string(time);
  json.key("monotonic_ns").number(event.at.time_since_epoch().count());
  json.key("kind").string(name_of(event.kind));
  json.key("service").string_or_null(event.service);
  if (of_stack) {
    json.key("event").string(event.subject);
  } else {
    json.key("incarnation").number(event.incarnation);
    if (event.kind == EventKind::bell) json.key("bell").string(event.subject);
    if (event.kind == EventKind::state) json.key("from").string(name_of(event.from));
    json.key("state").string(name_of(event.to));
  }
  json.key("cause").string_or_null(in_public ? std::string_view() : event.cause);
  const Evidence& evidence = event.evidence;
  json.key("evidence");
  if (!evidence.probe && evidence.pid == 0) {
    json.null();
  } else {
    json.begin_object();
    json.key("probe").string_or_null(evidence.probe ? config::name_of(*evidence.probe) : std::string_view());
    json.key("place").number(evidence.place);
    json.key("port");
    evidence.port == 0 ? json.null() : json.number(evidence.port);
    json.key("pid");
    evidence.pid == 0 ? json.null() : json.number(evidence.pid);
    json.key("words").string_or_null(in_public ? std::string_view() : evidence.words);
    json.end_object();
  }
  json.end_object();
}

}  // namespace belfry::daemon::http
