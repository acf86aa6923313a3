#include "calendar/cron.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace belfry::calendar {

namespace {

using Names = std::array<std::string_view, 12>;

constexpr Names month_names = {"jan", "feb", "mar", "apr", "may", "jun",
                               "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  unsigned least, most;
  std::string_view example;
};

constexpr std::array<Field, 5> fields{{
    {"minute", 0, 59, "0-59, such as 0, */10 or 0,30"},
    {"hour", 0, 23, "0-23, such as 3, */2 or 8-18"},
    {"day of the month", 1, 31, "1-31, such as 1, 1,15 or *"},
    {"month", 1, 12, "1-12 or jan-dec, such as *, 1 or mar-oct"},
    {"weekday", 0, 7, "0-7 (0 and 7 are Sunday) or sun-sat, such as *, mon-fri or 6,7"},
}};

struct Word {
  std::string_view name;
  std::string_view line;
};

constexpr std::array<Word, 7> words{{
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
}};

bool same(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Reads one field; what is wrong with it is told by where it stands in the line.
class FieldReader {
 public:
  FieldReader(std::string_view text, std::size_t at, unsigned which)
      : text_(text), at_(at), which_(which), field_(fields[which]) {}

  std::expected<std::uint64_t, CronMistake> read() {
    std::uint64_t all = 0;
    for (std::size_t from = 0;;) {
      const std::size_t comma = std::min(text_.find(',', from), text_.size());
      const auto part = read_part(text_.substr(from, comma - from), from);
      if (!part) return part;
      all |= *part;
      if (comma == text_.size()) return all;
      from = comma + 1;
    }
  }

 private:
  using Bits = std::expected<std::uint64_t, CronMistake>;

  [[nodiscard]] std::unexpected<CronMistake> wrong(std::string_view part, std::size_t from,
                                                   std::string why) const {
    const bool empty = part.empty();
    return std::unexpected(
        CronMistake{.message = "the " + std::string(field_.name) + " of this line " + std::move(why),
                    .help = "write " + std::string(field_.example),
                    .at = at_ + (empty ? 0 : from),
                    .length = empty ? text_.size() : part.size()});
  }

  // A number or a name.
  [[nodiscard]] std::optional<unsigned> value(std::string_view text) const {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (!text.empty() && error == std::errc() && end == text.data() + text.size()) return number;
    for (unsigned i = 0; which_ == 3 && i < month_names.size(); ++i)
      if (same(text, month_names[i])) return i + 1;
    for (unsigned i = 0; which_ == 4 && i < weekday_names.size(); ++i)
      if (same(text, weekday_names[i])) return i;
    return std::nullopt;
  }

  // `*`, a value or a range, each with or without a step.
  Bits read_part(std::string_view part, std::size_t from) const {
    if (part.empty()) return wrong(part, from, "has nothing between two commas, or at an end");
    const std::size_t slash = part.find('/');
    const std::string_view range = part.substr(0, slash);
    unsigned step = 1;
    if (slash != std::string_view::npos) {
      const std::string_view written = part.substr(slash + 1);
      const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), step);
      if (written.empty() || error != std::errc() || end != written.data() + written.size() || step == 0)
        return wrong(part, from, "has a step that is no number from 1 on: `" + std::string(part) + "`");
      if (step > field_.most)
        return wrong(part, from, "has a step beyond its last value: `" + std::string(part) + "`");
    }
    if (range == "*") return bits(field_.least, last(), step);
    const std::size_t dash = range.find('-');
    const auto low = value(range.substr(0, dash));
    if (!low) return wrong(part, from, "cannot be `" + std::string(part) + "`");
    if (*low < field_.least || *low > field_.most)
      return wrong(part, from, "cannot be " + std::to_string(*low));
    if (dash == std::string_view::npos) {
      if (slash != std::string_view::npos) return bits(*low, last(), step);
      return bits(*low, *low, 1);
    }
    auto high = value(range.substr(dash + 1));
    if (!high) return wrong(part, from, "cannot be `" + std::string(part) + "`");
    if (*high > field_.most) return wrong(part, from, "cannot be " + std::to_string(*high));
    if (which_ == 4 && *high == 0 && *low > 0) high = 7;  // fri-sun
    if (*high < *low)
      return wrong(part, from, "has a range that ends before it begins: `" + std::string(part) + "`");
    return bits(*low, *high, step);
  }

  // Weekdays end with Saturday; 7 is only another name.
  [[nodiscard]] unsigned last() const { return which_ == 4 ? 6 : field_.most; }

  static Bits bits(unsigned low, unsigned high, unsigned step) {
    std::uint64_t all = 0;
    for (unsigned i = low; i <= high; i += step) all |= std::uint64_t{1} << i;
    return all;
  }

  std::string_view text_;
  std::size_t at_;
  unsigned which_;
  const Field& field_;
};

struct Piece {
  std::string_view text;
  std::size_t at;
};

std::vector<Piece> pieces_of(std::string_view line) {
  std::vector<Piece> all;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t begin = at;
    while (at < line.size() && is_blank(line[at]) == is_blank(line[begin])) ++at;
    if (!is_blank(line[begin])) all.push_back({line.substr(begin, at - begin), begin});
  }
  return all;
}

std::expected<Cron, CronMistake> parse_word(std::string_view line) {
  for (const Word& word : words)
    if (same(line, word.name)) return parse_cron(word.line);
  if (same(line, "@reboot"))
    return std::unexpected(CronMistake{.message = "`@reboot` is no time",
                                       .help = "write {at_start: true} beside `every` or another line",
                                       .at = 0,
                                       .length = line.size()});
  return std::unexpected(
      CronMistake{.message = "there is no `" + std::string(line) + "`",
                  .help = "write @hourly, @daily, @weekly, @monthly, @yearly, or five fields",
                  .at = 0,
                  .length = line.size()});
}

CronMistake other_count(std::string_view line, const std::vector<Piece>& pieces) {
  CronMistake mistake{
      .message = "a line of cron has five fields, and this one has " + std::to_string(pieces.size()),
      .help = "write MINUTE HOUR DAY MONTH WEEKDAY, such as \"0 3 * * *\"",
      .at = 0,
      .length = line.size()};
  if (pieces.size() == 6) mistake.help += "; seconds are for `every: 10s`, and the command is the service's";
  return mistake;
}

}  // namespace

bool Cron::has_date(unsigned month, unsigned day, unsigned weekday) const {
  if ((months >> month & 1U) == 0) return false;
  const bool by_day = (days >> day & 1U) != 0;
  const bool by_weekday = (weekdays >> weekday & 1U) != 0;
  return any_day || any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

std::expected<Cron, CronMistake> parse_cron(std::string_view line) {
  const std::vector<Piece> pieces = pieces_of(line);
  if (pieces.size() == 1 && pieces.front().text.starts_with('@')) return parse_word(pieces.front().text);
  if (pieces.size() != fields.size()) return std::unexpected(other_count(line, pieces));
  std::array<std::uint64_t, fields.size()> bits{};
  for (unsigned i = 0; i < fields.size(); ++i) {
    const auto read = FieldReader(pieces[i].text, pieces[i].at, i).read();
    if (!read) return std::unexpected(read.error());
    bits[i] = *read;
  }
  const auto begins_with_star = [&pieces](std::size_t i) { return pieces[i].text.starts_with('*'); };
  Cron cron;
  cron.minutes = bits[0];
  cron.hours = static_cast<std::uint32_t>(bits[1]);
  cron.days = static_cast<std::uint32_t>(bits[2]);
  cron.months = static_cast<std::uint16_t>(bits[3]);
  cron.weekdays = static_cast<std::uint8_t>((bits[4] | bits[4] >> 7U) & 0x7FU);
  cron.any_day = begins_with_star(2);
  cron.any_weekday = begins_with_star(4);
  cron.passes = begins_with_star(0) || begins_with_star(1);
  return cron;
}

// With `*` for the weekday the day of the month decides; every weekday comes on every date of some year.
bool never_comes(const Cron& cron) {
  constexpr std::array<unsigned, 12> longest = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (unsigned month = 1; month <= 12; ++month) {
    for (unsigned day = 1; day <= longest[month - 1]; ++day)
      for (unsigned weekday = 0; weekday < 7; ++weekday)
        if (cron.has_date(month, day, weekday)) return false;
  }
  return true;
}

}  // namespace belfry::calendar
