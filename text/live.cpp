#include "text/live.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "text/width.hpp"

namespace belfry::text {
namespace {

constexpr std::size_t usual_width = 80, usual_height = 24;
constexpr std::size_t widest_name = 24;  // what is longer is cut where there is little room
constexpr std::size_t narrow = 50;       // columns below which the time is left out

constexpr std::pair<std::string_view, Look> looks[] = {
    {"failed", {.sign = "✘", .ascii = "x", .colour = Colour::red, .rank = 0}},
    {"blocked", {.sign = "■", .ascii = "#", .colour = Colour::red, .rank = 1}},
    {"backoff", {.sign = "↻", .ascii = "~", .colour = Colour::yellow, .rank = 2}},
    {"unready", {.sign = "◌", .ascii = "!", .colour = Colour::yellow, .rank = 2}},
    {"stopping", {.sign = "◑", .ascii = "-", .colour = Colour::yellow, .rank = 3}},
    {"starting", {.sign = "◐", .ascii = "*", .colour = Colour::yellow, .rank = 3}},
    {"waiting", {.sign = "○", .ascii = "o", .colour = Colour::none, .rank = 4}},
    {"ready", {.sign = "●", .ascii = "+", .colour = Colour::green, .rank = 5}},
    {"completed", {.sign = "✔", .ascii = "=", .colour = Colour::dim, .rank = 6}},
    {"inactive", {.sign = "·", .ascii = ".", .colour = Colour::dim, .rank = 7}},
};

std::size_t width_of(const Screen& screen) { return screen.width > 0 ? screen.width : usual_width; }

std::string padded(std::string text, std::size_t width) {
  const std::size_t used = display_width(text);
  if (used < width) text.append(width - used, ' ');
  return text;
}

struct Columns {
  std::size_t name = 0, state = 0, time = 0;
};

Columns columns_of(std::span<const LiveRow> rows, std::size_t width) {
  Columns columns;
  for (const LiveRow& row : rows) {
    columns.name = std::max(columns.name, display_width(row.name));
    columns.state = std::max(columns.state, display_width(row.state));
    columns.time = std::max(columns.time, display_width(row.time));
  }
  const std::size_t most = width >= 80 ? widest_name : std::max<std::size_t>(8, width / 3);
  columns.name = std::min(columns.name, most);
  if (width < narrow) columns.time = 0;
  return columns;
}

// One column is left free: a character in the last one makes some terminals begin a new line.
std::string line_of(const LiveRow& row, const Columns& columns, const Screen& screen) {
  const Look look = look_of(row.state);
  const std::size_t width = width_of(screen) - 1;
  std::string line = std::string(screen.has_signs ? look.sign : look.ascii) + " ";
  line += padded(cut(row.name, columns.name), columns.name) + "  ";
  const std::size_t state_at = line.size();
  line += padded(row.state, columns.state);
  if (columns.time > 0) {
    const std::size_t used = display_width(row.time);
    line += "  " + std::string(columns.time - std::min(columns.time, used), ' ') + row.time;
  }
  if (!row.why.empty()) line += "  " + row.why;
  while (!line.empty() && line.back() == ' ') line.pop_back();
  line = cut(line, width);
  if (!screen.colour || look.colour == Colour::none) return line;
  const std::size_t state_end = std::min(line.size(), state_at + row.state.size());
  if (state_at >= line.size()) return painted(line, look.colour, true);
  return painted(line.substr(0, state_at), Colour::none, true) +
         painted(line.substr(state_at, state_end - state_at), look.colour, true) + line.substr(state_end);
}

// A line that was drawn on a wider terminal takes several rows of a narrower one.
std::size_t rows_of(std::span<const std::size_t> widths, std::size_t width) {
  std::size_t rows = 0;
  for (const std::size_t drawn : widths) rows += width == 0 || drawn == 0 ? 1 : (drawn + width - 1) / width;
  return rows;
}

// Of a line without its colours.
std::size_t plain_width(std::string_view line) {
  std::string plain;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] != '\033') {
      plain += line[at];
      continue;
    }
    at = std::min(line.find('m', at), line.size());
  }
  return display_width(plain);
}

}  // namespace

Look look_of(std::string_view state) {
  for (const auto& [name, look] : looks) {
    if (name == state) return look;
  }
  return {.sign = "?", .ascii = "?", .colour = Colour::none, .rank = 0};
}

std::size_t room_for_rows(const Screen& screen) {
  const std::size_t height = screen.height > 0 ? screen.height : usual_height;
  // The title, the line of those left out, the line of the cursor, and two for what scrolls above.
  constexpr std::size_t others = 5;
  return height > others + 1 ? height - others : 1;
}

std::vector<std::size_t> worth_seeing(std::span<const std::string_view> states, std::size_t room) {
  std::vector<std::size_t> all(states.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  if (all.size() <= room) return all;
  std::ranges::sort(all, {}, [&](std::size_t i) { return std::pair(look_of(states[i]).rank, i); });
  all.resize(room);
  std::ranges::sort(all);
  return all;
}

std::string left_out_text(std::span<const std::string_view> states, std::span<const std::size_t> shown) {
  if (shown.size() >= states.size()) return {};
  std::map<std::uint8_t, std::map<std::string_view, std::size_t>> counts;
  std::size_t next = 0;
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (next < shown.size() && shown[next] == i)
      ++next;
    else
      ++counts[look_of(states[i]).rank][states[i]];
  }
  std::string text;
  for (const auto& [rank, states_of_rank] : counts) {
    for (const auto& [state, count] : states_of_rank)
      (text += text.empty() ? "" : ", ") += std::to_string(count) + " " + std::string(state);
  }
  return std::to_string(states.size() - shown.size()) + " more: " + text;
}

std::vector<std::string> live_lines(std::string_view title, std::span<const LiveRow> rows,
                                    std::string_view left_out, const Screen& screen) {
  const std::size_t width = width_of(screen);
  const Columns columns = columns_of(rows, width);
  std::vector<std::string> lines;
  lines.reserve(rows.size() + 2);
  if (!title.empty()) lines.push_back(painted(cut(title, width - 1), Colour::bold, screen.colour));
  for (const LiveRow& row : rows) lines.push_back(line_of(row, columns, screen));
  if (!left_out.empty()) lines.push_back(painted(cut(left_out, width - 1), Colour::dim, screen.colour));
  return lines;
}

std::string LiveBlock::erase(std::size_t width) {
  const std::size_t rows = rows_of(widths_, width);
  widths_.clear();
  if (rows == 0) return {};
  return "\r\033[" + std::to_string(rows) + "A\033[J";
}

std::string LiveBlock::redraw(std::string_view above, std::span<const std::string> lines, std::size_t width) {
  std::string out = erase(width);
  out += above;
  for (const std::string& line : lines) {
    out += line;
    out += '\n';
    widths_.push_back(plain_width(line));
  }
  return out;
}

}  // namespace belfry::text
