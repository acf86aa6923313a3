#include "daemon/http/api/log_stream.hpp"
#include "daemon/http/api/unknown_name.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <limits>
#include <memory>
#include <utility>

#include "daemon/http/wire/json_writer.hpp"
#include "daemon/logs/line_format.hpp"
#include "daemon/logs/log_reader.hpp"
#include "text/escape.hpp"
#include "text/terminal_line.hpp"

namespace belfry::daemon::http {
namespace {

using Form = FollowLogs::Form;

constexpr std::string_view retry = "retry: 2000\n\n";  // milliseconds

void append_id(std::string& out, std::uint64_t run, std::uint64_t sequence) {
  char digits[40];
  char* end = std::to_chars(digits, digits + 20, run, 16).ptr;
  *end++ = '-';
  end = std::to_chars(end, std::end(digits), sequence).ptr;
  out.append(digits, end);
}

template <class T>
std::optional<T> number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The line of an id that this run of belfry has given.
std::optional<std::uint64_t> sequence_of(std::string_view id, const LogWorld& world) {
  const std::size_t dash = std::min(id.find('-'), id.size());
  if (number<std::uint64_t>(id.substr(0, dash), 16) != world.run) return std::nullopt;
  const auto sequence = number<std::uint64_t>(id.substr(std::min(dash + 1, id.size())));
  return sequence && *sequence < world.book.next_sequence() ? sequence : std::nullopt;
}

Form form_of(std::string_view accept, bool follow) {
  if (follow || accept.contains(event_stream)) return Form::events;
  const bool wants_text = accept.contains("text/plain") && !accept.contains(application_json);
  return wants_text ? Form::text : Form::json;
}

// Those of a gate are the lines of whom it waits for.
void add_pages(std::vector<std::size_t>& pages, const StackView& stack, std::size_t service) {
  std::vector<char> seen(stack.service_count());
  std::vector<std::size_t> open{service};
  while (!open.empty()) {
    const std::size_t one = open.back();
    open.pop_back();
    if (std::exchange(seen[one], 1) != 0) continue;
    if (stack.service(one).type != config::ServiceType::gate) {
      pages.push_back(one);
      continue;
    }
    for (const EdgeTimeView& edge : stack.timeline(one).edges) {
      if (const auto member = stack.find(edge.on)) open.push_back(*member);
    }
  }
}

// How many more lines are looked at in this turn.
class Work {
 public:
  explicit Work(std::size_t most) : left_(most) {}
  void take(std::size_t cost) { left_ -= std::min(cost, left_); }
  [[nodiscard]] bool is_done() const { return left_ == 0; }

 private:
  std::size_t left_;
};

// Finds the last lines that a filter shows, page by page, a piece of the work at a time.
class LastLines {
 public:
  explicit LastLines(std::size_t count) : count_(count) {}

  // True: every place stands at the first of its last lines.
  bool find(LogReader& reader, const LogFilter& filter, std::uint64_t until, Work& work) {
    for (; place_ < reader.size(); ++place_) {
      if (!look_through(reader.ring_of(place_), reader.at(place_), filter, until, work)) return false;
      reader.at(place_) = {.next = found_.empty() ? at_.next : found_.front()};
      found_.clear();
      begun_ = false;
    }
    return true;
  }

 private:
  bool look_through(const LogRing& ring, const RingCursor& from, const LogFilter& filter, std::uint64_t until,
                    Work& work) {
    if (!std::exchange(begun_, true)) at_ = from;
    for (;;) {
      if (work.is_done()) return false;
      RingCursor behind = at_;
      RingLine line;
      if (!ring.read(behind, line) || line.sequence >= until) return true;
      at_ = behind;
      work.take(filter.cost(line));
      if (count_ == 0 || !filter.shows(line)) continue;
      found_.push_back(line.number);
      if (found_.size() > count_) found_.pop_front();
    }
  }

  std::size_t count_;
  std::size_t place_ = 0;
  bool begun_ = false;
  RingCursor at_;
  std::deque<std::uint64_t> found_;
};

// Owner: the session. Lifecycle: shorter than the book. Cancellation: of a wait for news.
class LogStream final : public BodyStream {
 public:
  LogStream(LogBook& book, FollowLogs asked)
      : book_(book),
        asked_(std::move(asked)),
        reader_(book, asked_.pages),
        begun_at_(book.next_sequence()),
        until_(asked_.follow ? std::numeric_limits<std::uint64_t>::max() : begun_at_) {
    if (asked_.behind) reader_.go_behind(*asked_.behind);
    if (!asked_.last || asked_.behind) return;
    if (!asked_.filter.shows_all())
      last_lines_.emplace(*asked_.last);
    else
      for (std::size_t place = 0; place < reader_.size(); ++place) begin_with_last(place);
  }

  Next fill(std::string& out, std::size_t room) override {
    const std::size_t enough = out.size() + room;
    if (!std::exchange(begun_, true)) begin(out);
    Work work(asked_.filter.most_cost());
    if (last_lines_ && !last_lines_->find(reader_, asked_.filter, begun_at_, work)) return Next::more;
    last_lines_.reset();
    say_missed(out);
    bool stopped = false;
    reader_.read(until_, [&](std::size_t place, const RingLine& line) {
      work.take(asked_.filter.cost(line));
      if (asked_.filter.shows(line)) append(out, place, line);
      stopped = work.is_done() || out.size() >= enough;
      return !stopped;
    });
    if (stopped) return Next::more;
    if (asked_.follow && !reader_.is_at_the_last()) return Next::nothing;
    end(out);
    return Next::end;
  }
  Task<Result<void>> news(Context& ctx) override {
    Result<void> came = co_await reader_.news(ctx);
    co_return came;
  }
  // It grows with what is written to the pages. A reader may be half of a ring late, which is eight times as
  // much as what waits for one of events: so eight bytes count as one.
  [[nodiscard]] std::size_t backlog() const override {
    return asked_.follow ? static_cast<std::size_t>(reader_.bytes_in_all() / 8) : 0;
  }
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
  void begin_with_last(std::size_t place) {
    const LogRing& ring = reader_.ring_of(place);
    const std::uint64_t held = ring.next() - ring.first();
    reader_.at(place) = {.next = ring.next() - std::min<std::uint64_t>(held, *asked_.last)};
  }

  void begin(std::string& out) {
    if (asked_.form == Form::events) {
      out += retry;
      out += "event: begin\ndata: ";
      append_services(out);
      out += "}\n\n";
    } else if (asked_.form == Form::json) {
      append_services(out);
      out += ",\"lines\":[";
    }
    const bool have_gone = asked_.behind && std::ranges::any_of(asked_.pages, [this](std::size_t page) {
                             const LogRing* ring = book_.ring(page);
                             return ring != nullptr && ring->last_gone() > *asked_.behind;
                           });
    if (have_gone) asked_.unknown = "only the newest lines are kept";
    if (!asked_.unknown.empty()) append_missed(out, {}, {}, asked_.unknown);
  }

  // {"run": …, "services": […] without its end.
  void append_services(std::string& out) const {
    std::string run;
    append_id(run, asked_.run, 0);
    JsonWriter json(out);
    json.begin_object();
    json.key("run").string(run.substr(0, run.find('-')));
    json.key("services").begin_array();
    for (std::size_t place = 0; place < reader_.size(); ++place) json.string(name_of_place(place));
    json.end_array();
  }

  void end(std::string& out) const {
    if (asked_.form == Form::events) out += "event: end\ndata:\n\n";
    if (asked_.form != Form::json) return;
    out += "],\"last\":\"";
    append_id(out, asked_.run, until_ - 1);
    out += "\"}\n";
  }

  void say_missed(std::string& out) {
    for (std::size_t place = 0; place < reader_.size(); ++place) {
      const std::uint64_t lines = reader_.take_missed(place);
      if (lines > 0) append_missed(out, name_of_place(place), lines, "more was written than could be sent");
    }
  }

  void append_missed(std::string& out, std::string_view service, std::optional<std::uint64_t> lines,
                     std::string_view because) {
    if (asked_.form == Form::text) {
      out += "[belfry: " + (lines ? std::to_string(*lines) + " " : std::string()) + "lines ";
      if (!service.empty()) text::append_visible(out.append("of "), service);
      out.append(" are missing here: ").append(because).append("]\n");
      return;
    }
    if (asked_.form == Form::events) out += "event: missed\ndata: ";
    separate(out);
    JsonWriter json(out);
    json.begin_object();
    json.key("service").string_or_null(service);
    json.key("missed");
    lines ? json.number(static_cast<std::int64_t>(*lines)) : json.null();
    json.key("because").string(because);
    json.end_object();
    if (asked_.form == Form::events) out += "\n\n";
  }

  void append(std::string& out, std::size_t place, const RingLine& line) {
    if (asked_.form == Form::text) return append_text(out, place, line);
    if (asked_.form == Form::events) {
      out += "id: ";
      append_id(out, asked_.run, line.sequence);
      out += "\ndata: ";
    }
    separate(out);
    JsonWriter json(out);
    json.begin_object();
    json.key("sequence").number(static_cast<std::int64_t>(line.sequence));
    json.key("time").string(time_of(line));
    json.key("service").string(name_of_place(place));
    json.key("incarnation").number(static_cast<std::int64_t>(line.origin.incarnation));
    json.key("stream").string(name_of(line.origin.stream));
    json.key("line").string(line.text);
    if (line.continued) json.key("continued").boolean(true);
    if (line.goes_on) json.key("goes_on").boolean(true);
    json.end_object();
    if (asked_.form == Form::events) out += "\n\n";
  }

  void append_text(std::string& out, std::size_t place, const RingLine& line) const {
    if (asked_.named) {
      text::append_visible(out, name_of_place(place));
      out += " | ";
    }
    if (line.continued) out += continued_mark;
    text::append_line_for_terminal(out, line.text, text::Colours::left_out);
    if (line.goes_on) out += cut_mark;
    out += '\n';
  }

  void separate(std::string& out) {
    if (asked_.form == Form::json && std::exchange(has_lines_, true)) out += ',';
    if (asked_.form == Form::json) out += '\n';
  }

  const std::string& time_of(const RingLine& line) {
    if (time_.empty() || line.origin.at != time_at_) time_ = utc_time(line.origin.at);
    time_at_ = line.origin.at;
    return time_;
  }

  [[nodiscard]] std::string_view name_of_place(std::size_t place) const {
    return book_.name(reader_.page_of(place));
  }

  LogBook& book_;
  FollowLogs asked_;
  LogReader reader_;
  std::uint64_t begun_at_;  // the line that comes next then: what follows it is more than the last lines
  std::uint64_t until_;     // the first that is not shown any more
  std::optional<LastLines> last_lines_;  // while they are looked for
  bool begun_ = false;
  bool has_lines_ = false;
  std::string time_;  // of the lines that were read last, which mostly have the same
  std::chrono::system_clock::time_point time_at_;
};

}  // namespace

std::variant<Response, FollowLogs> understand_logs(const Request& request, std::string_view service,
                                                   std::string_view query_text, const LogWorld& world) {
  LogQuery query = read_log_query(query_text, world.now);
  if (query.mistake.empty() && !service.empty() && !query.services.empty())
    query.mistake = "the path names the service already (/v1/logs?service=… takes several)";
  if (!query.mistake.empty()) return problem(400, "cannot show logs: " + query.mistake);
  if (!service.empty()) query.services.emplace_back(service);
  FollowLogs asked{.form = form_of(request.accept, query.follow),
                   .follow = query.follow,
                   .named = service.empty(),
                   .pages = {},
                   .filter = std::move(query.filter),
                   .last = query.last,
                   .behind = {},
                   .unknown = {},
                   .run = world.run};
  for (const std::string& name : query.services) {
    if (const auto found = world.stack.find(name))
      add_pages(asked.pages, world.stack, *found);
    else if (name == LogBook::own_name)
      asked.pages.push_back(world.book.own());
    else
      return no_such_service(world.stack, name);
  }
  if (query.services.empty()) {
    for (const std::size_t i : world.stack.shown())
      if (world.stack.service(i).type != config::ServiceType::gate) asked.pages.push_back(i);
    asked.pages.push_back(world.book.own());
  }
  if (request.last_event_id.empty()) return asked;
  asked.behind = sequence_of(request.last_event_id, world);
  if (!asked.behind) asked.unknown = "Last-Event-ID is not of a line of this run of belfry";
  return asked;
}

StreamedAnswer follow_logs(LogBook& book, FollowLogs asked) {
  StreamedAnswer answer;
  answer.head.content_type = asked.form == Form::events ? event_stream
                             : asked.form == Form::text ? text_plain
                                                        : application_json;
  answer.body = std::make_unique<LogStream>(book, std::move(asked));
  return answer;
}

}  // namespace belfry::daemon::http
