#include "daemon/http/api/log_query.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "config/model/duration.hpp"
#include "daemon/http/wire/request_target.hpp"

namespace belfry::daemon::http {
namespace {

constexpr std::size_t most_names = 1024;
constexpr std::size_t longest_pattern = 1000;
// What a line costs beside its bytes; and what is looked at without an expression, or with a short one.
constexpr std::size_t cost_of_a_line = 64;
constexpr std::size_t most_without_pattern = std::size_t{256} << 10;
constexpr std::size_t most_with_pattern = std::size_t{64} << 10;

// Of a line so many bytes are looked at, and all lines of one go are a quarter of that.
std::size_t reach_in_line(const config::Pattern& pattern) { return pattern.reach() / 4; }

// Reads a text from the left.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  // So many digits; -1 when there are fewer.
  int digits(std::size_t count) {
    int value = -1;
    const char* const begin = rest_.data();
    const char* const end = begin + std::min(count, rest_.size());
    const auto [read, error] = std::from_chars(begin, end, value);
    if (error != std::errc() || read != begin + count || *begin == '-') return fail();
    rest_.remove_prefix(count);
    return value;
  }
  bool skip(std::string_view one_of) {
    if (rest_.empty() || !one_of.contains(rest_.front())) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view while_digits() {
    const std::size_t end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    const std::string_view digits = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return digits;
  }
  void expect(std::string_view one_of) { failed_ = !skip(one_of) || failed_; }
  int fail() {
    failed_ = true;
    return -1;
  }
  [[nodiscard]] bool succeeded() const { return !failed_ && rest_.empty(); }
  [[nodiscard]] char next() const { return rest_.empty() ? '\0' : rest_.front(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

std::chrono::nanoseconds fraction(std::string_view digits) {
  std::string nanos(digits.substr(0, 9));
  nanos.resize(9, '0');
  std::int64_t value = 0;
  std::from_chars(nanos.data(), nanos.data() + nanos.size(), value);
  return std::chrono::nanoseconds(value);
}

std::chrono::minutes zone(Scanner& text) {
  if (text.skip("Zz")) return {};
  const int sign = text.next() == '-' ? -1 : 1;
  text.expect("+-");
  const int hours = text.digits(2);
  text.expect(":");
  const int minutes = text.digits(2);
  if (hours > 23 || minutes > 59) text.fail();
  return sign * (std::chrono::hours(hours) + std::chrono::minutes(minutes));
}

void read_since(LogQuery& query, const std::string& text, WallTime now) {
  if (const auto ago = config::parse_duration(text))
    query.filter.since = now - std::chrono::nanoseconds(*ago);
  else
    query.filter.since = parse_rfc3339(text);
  if (!query.filter.since)
    query.mistake =
        "since=" + text + " is neither a duration such as 10m nor a time such as 2026-11-30T09:20:00Z";
}

void read_last(LogQuery& query, const std::string& text) {
  std::size_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || read != end)
    query.mistake = "n=" + text + " is not a number of lines";
  else
    query.last = count;
}

void read_pattern(LogQuery& query, const std::string& text) {
  if (text.size() > longest_pattern) {
    query.mistake = "grep is longer than " + std::to_string(longest_pattern) + " bytes";
    return;
  }
  auto pattern = config::Pattern::compile(text);
  if (pattern)
    query.filter.pattern = std::move(*pattern);
  else
    query.mistake = "grep=" + text + ": " + pattern.error();
}

void read_stream(LogQuery& query, std::string_view text, std::uint8_t& streams) {
  for (const LogStream stream : {LogStream::output, LogStream::standard_output, LogStream::standard_error}) {
    if (name_of(stream) != text) continue;
    streams |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(stream));
    return;
  }
  query.mistake = "stream=" + std::string(text) + " is not one of output, stdout, stderr";
}

}  // namespace

LogQuery read_log_query(std::string_view text, WallTime now) {
  LogQuery query;
  std::uint8_t streams = 0;
  QueryReader reader(text);
  Parameter parameter;
  while (query.mistake.empty() && reader.next(parameter)) {
    const std::string& value = parameter.value;
    if (parameter.name == "service")
      query.services.push_back(value);
    else if (parameter.name == "n")
      read_last(query, value);
    else if (parameter.name == "since")
      read_since(query, value, now);
    else if (parameter.name == "grep")
      read_pattern(query, value);
    else if (parameter.name == "stream")
      read_stream(query, value, streams);
    else if (parameter.name == "follow")
      query.follow = value != "0" && value != "false";
    else
      query.mistake =
          "the parameter " + parameter.name + " is not one of service, n, since, grep, stream, follow";
  }
  if (reader.malformed()) query.mistake = "a % escape is malformed";
  if (query.services.size() > most_names)
    query.mistake = "it names more than " + std::to_string(most_names) + " services; ask for all of them";
  if (streams != 0) query.filter.streams = streams;
  return query;
}

bool LogFilter::shows(const RingLine& line) const {
  if ((streams >> static_cast<unsigned>(line.origin.stream) & 1U) == 0) return false;
  if (since && line.origin.at < *since) return false;
  return !pattern || pattern->occurs_in(line.text, reach_in_line(*pattern));
}

std::size_t LogFilter::cost(const RingLine& line) const {
  const std::size_t bytes = pattern ? std::min(line.text.size(), reach_in_line(*pattern)) : line.text.size();
  return cost_of_a_line + bytes;
}

std::size_t LogFilter::most_cost() const {
  return pattern ? std::min(most_with_pattern, pattern->reach() / 16) : most_without_pattern;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  Scanner in(text);
  const year_month_day date = [&in] {
    const year y(in.digits(4));
    in.expect("-");
    const month m(static_cast<unsigned>(in.digits(2)));
    in.expect("-");
    return y / m / day(static_cast<unsigned>(in.digits(2)));
  }();
  in.expect("Tt ");
  const int hour = in.digits(2);
  in.expect(":");
  const int minute = in.digits(2);
  in.expect(":");
  const int second = in.digits(2);
  const nanoseconds part = in.skip(".") ? fraction(in.while_digits()) : nanoseconds(0);
  const minutes offset = zone(in);
  constexpr int last_year = 2200;  // nanoseconds go no further than 2262
  const bool is_time = hour <= 23 && minute <= 59 && second <= 60;
  if (!in.succeeded() || !date.ok() || !is_time || date.year() < year(1970) || date.year() > year(last_year))
    return std::nullopt;
  return sys_days(date) + hours(hour) + minutes(minute) + seconds(second) + part - offset;
}

}  // namespace belfry::daemon::http
