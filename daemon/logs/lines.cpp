#include "daemon/logs/lines.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace belfry::daemon {

namespace {

constexpr std::string_view too_slow = "output was too slow";

}  // namespace

LogLines::LogLines(std::string_view name, LineStyle style) : format_(name, style) {}

void LogLines::add(const LogText& text, const LineOrigin& origin) {
  const LineStyle& style = format_.style();
  if (style.form == LineStyle::Form::raw && !style.for_terminal && text.bytes.ends_with('\n')) {
    held_.append(text.bytes);
    longest_held_ = std::max(longest_held_, static_cast<std::uint32_t>(text.bytes.size()));
    return stay_within_bound();
  }
  const std::string head = format_.head(origin);
  const bool as_it_is = style.form == LineStyle::Form::text || style.form == LineStyle::Form::record;
  if (as_it_is && !style.for_terminal && !text.continued && text.bytes.ends_with('\n')) {
    add_text(head, text);
    return stay_within_bound();
  }
  std::string_view rest = text.bytes;
  bool continued = text.continued;
  do {
    const std::size_t end = rest.find('\n');
    const bool ended = end != std::string_view::npos;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(ended ? end + 1 : rest.size());
    hold(head,
         {.bytes = line,
          .continued = std::exchange(continued, false),
          .goes_on = text.goes_on && rest.empty()},
         ended);
  } while (!rest.empty());
}

// Most of what there ever is, and all of a flood: whole lines, each behind the same head.
void LogLines::add_text(std::string_view head, const LogText& text) {
  const std::size_t before = held_.size();
  const std::size_t after = before + text.bytes.size() + ends_in(text) * head.size();
  const auto fill = [&](char* at, std::size_t size) {
    at += before;
    for (std::string_view rest = text.bytes; !rest.empty();) {
      const std::size_t line = rest.find('\n') + 1;
      longest_held_ = std::max(longest_held_, static_cast<std::uint32_t>(line + head.size()));
      std::memcpy(at, head.data(), head.size());
      std::memcpy(at + head.size(), rest.data(), line);
      at += head.size() + line;
      rest.remove_prefix(line);
    }
    return size;
  };
  if (after > held_.capacity()) held_.reserve(std::max(after, 2 * held_.capacity()));
  held_.resize_and_overwrite(after, fill);
}

void LogLines::hold(std::string_view head, const LogText& line, bool ended) {
  const std::size_t before = held_.size();
  format_.append(held_, head, line, ended);
  longest_held_ = std::max(longest_held_, static_cast<std::uint32_t>(held_.size() - before));
  stay_within_bound();
}

// An eighth at once, so that a flood does not move the rest for every line. The longest line fits besides: it
// comes in one piece, and what comes right behind it must not push it out.
void LogLines::stay_within_bound() {
  const std::size_t most = may_drop() && !at_an_end ? most_held : most_held_back;
  if (held() > most + longest_held_) keep_newest(most - most / 8);
}

void LogLines::print(std::string_view lines) { held_.append(lines); }

void LogLines::take_over(LogLines& other) {
  lost_ += std::exchange(other.lost_, 0);  // as a number: a marker among the lines might be dropped with them
  if (!other.empty()) other.move_to(held_, other.held());
}

void LogLines::move_to(std::string& out, std::size_t most) {
  if (lost_ > 0) out.append(format_.marker(std::exchange(lost_, 0), too_slow));
  std::string_view text = std::string_view(held_).substr(begin_);
  if (text.size() > most) {
    std::size_t end = most > 0 ? text.rfind('\n', most - 1) : std::string_view::npos;
    if (end == std::string_view::npos) end = text.find('\n');
    text = text.substr(0, end == std::string_view::npos ? end : end + 1);
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
  at_an_end = false;
  begin_ = longest_held_ = 0;
  held_.clear();
  if (held_.capacity() > 4096 && !floods) held_.shrink_to_fit();
}

void LogLines::keep_newest(std::size_t most) {
  if (held() <= most) return;
  const std::string_view text = std::string_view(held_).substr(begin_);
  std::size_t end = text.find('\n', text.size() - most - 1) + 1;
  if (end == text.size() && most > 0) end = text.rfind('\n', text.size() - 2) + 1;
  if (end == 0) {
    if (text.ends_with('\n')) return;  // it is the only one
    end = text.size() - most;          // `raw` bytes without any line
  }
  const std::uint64_t dropped = std::max<std::uint64_t>(ends_in(text.substr(0, end)), 1);
  lost_ += dropped;
  lost_in_all_ += dropped;
  held_.erase(0, begin_ + end);
  begin_ = 0;
}

std::uint64_t LogLines::lines() const { return lost_ + ends_in(std::string_view(held_).substr(begin_)); }

}  // namespace belfry::daemon
