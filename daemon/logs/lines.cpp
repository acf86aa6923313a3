#include "daemon/logs/lines.hpp"

#include <algorithm>
#include <utility>

#include "system/output_writer.hpp"
#include "text/escape.hpp"
#include "text/utf8.hpp"

namespace belfry::daemon {

namespace {

constexpr std::string_view too_slow = "output was too slow";

void give_back(std::string& text) {
  text.clear();
  text.shrink_to_fit();
}

}  // namespace

LogLines::LogLines(std::string_view name, LineStyle style)
    : style_(style), prefix_(std::string(name) + " | ") {}

void LogLines::take(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const bool ends = end != std::string_view::npos;
    add_part(bytes.substr(0, end), ends);
    bytes.remove_prefix(ends ? end + 1 : bytes.size());
  }
}

void LogLines::add_part(std::string_view part, bool ends) {
  while (partial_.size() + part.size() > style_.longest) {
    const std::size_t fits = style_.longest - partial_.size();
    partial_.append(part.substr(0, fits));
    part.remove_prefix(fits);
    const std::size_t cut = text::end_of_characters(partial_);
    add_line(std::string_view(partial_).substr(0, cut), true);
    partial_.erase(0, cut);
  }
  if (ends && partial_.empty()) return add_line(part, false);
  partial_.append(part);
  if (!ends) return;
  add_line(partial_, false);
  give_back(partial_);
}

void LogLines::finish() {
  if (!partial_.empty()) add_line(partial_, false);
  continued_ = false;
  give_back(partial_);
}

void LogLines::tell_unfinished() {
  if (listener != nullptr && !partial_.empty()) listener->on_unfinished(partial_);
}

void LogLines::add_line(std::string_view line, bool goes_on) {
  if (listener != nullptr) listener->on_line(line);
  if (!style_.silent) hold(line, goes_on);
  continued_ = goes_on;
}

void LogLines::hold(std::string_view line, bool goes_on) {
  const std::size_t before = held_.size();
  held_.append(prefix_);
  if (continued_) held_.append(continued_mark);
  if (style_.for_terminal)
    append_for_terminal(held_, line);
  else
    held_.append(line);
  if (goes_on) held_.append(cut_mark);
  held_.push_back('\n');
  longest_held_ = std::max(longest_held_, static_cast<std::uint32_t>(held_.size() - before));
  // An eighth at once, so that a flood does not move the rest for every line. The longest line fits besides:
  // it comes in one piece, and what comes right behind it must not push it out.
  if (held() > most_held + longest_held_) keep_newest(most_held - most_held / 8);
}

void LogLines::print(std::string_view lines) { held_.append(lines); }

void LogLines::take_over(LogLines& other) {
  lost_ += std::exchange(other.lost_, 0);  // as a number: a marker among the lines might be dropped with them
  if (!other.empty()) other.move_to(held_, other.held());
}

void LogLines::move_to(std::string& out, std::size_t most) {
  if (lost_ > 0) out.append(system::lost_lines_marker(prefix_, std::exchange(lost_, 0), too_slow));
  std::string_view text = std::string_view(held_).substr(begin_);
  if (text.size() > most) {
    std::size_t end = most > 0 ? text.rfind('\n', most - 1) : std::string_view::npos;
    if (end == std::string_view::npos) end = text.find('\n');
    text = text.substr(0, end + 1);
  }
  begin_ += static_cast<std::uint32_t>(text.size());
  if (begin_ < held_.size()) {
    out.append(text);
    return;
  }
  if (out.empty() && text.size() == held_.size())
    out.swap(held_);
  else
    out.append(text);
  begin_ = longest_held_ = 0;
  held_.clear();
  if (held_.capacity() > 4096) held_.shrink_to_fit();
}

void LogLines::keep_newest(std::size_t most) {
  if (held() <= most) return;
  const std::string_view text = std::string_view(held_).substr(begin_);
  std::size_t end = text.find('\n', text.size() - most - 1) + 1;
  if (end == text.size() && most > 0) end = text.rfind('\n', text.size() - 2) + 1;
  const auto dropped = static_cast<std::uint64_t>(std::ranges::count(text.substr(0, end), '\n'));
  lost_ += dropped;
  lost_in_all_ += dropped;
  held_.erase(0, begin_ + end);
  begin_ = 0;
}

std::uint64_t LogLines::lines() const {
  return lost_ + static_cast<std::uint64_t>(std::ranges::count(std::string_view(held_).substr(begin_), '\n'));
}

namespace {

// How long the colour sequence is that `text` begins with: ESC [ digits and separators m. 0: it does not.
std::size_t colour_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789;:", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

}  // namespace

void append_for_terminal(std::string& out, std::string_view line) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  bool coloured = false;
  for (;;) {
    std::size_t escape = line.find('\x1b');
    const std::size_t colour = escape == std::string_view::npos ? 0 : colour_length(line.substr(escape));
    if (escape != std::string_view::npos && colour == 0) ++escape;
    text::append_visible(out, line.substr(0, escape));
    if (escape == std::string_view::npos) break;
    out.append(line.substr(escape, colour));
    line.remove_prefix(escape + colour);
    coloured = coloured || colour > 0;
  }
  if (coloured) out.append("\x1b[0m");
}

}  // namespace belfry::daemon
