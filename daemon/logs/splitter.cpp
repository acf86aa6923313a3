#include "daemon/logs/splitter.hpp"

#include <algorithm>

#include "text/utf8.hpp"

namespace belfry::daemon {

namespace {

void give_back(std::string& text) {
  text.clear();
  text.shrink_to_fit();
}

}  // namespace

void LineSplitter::take(std::string_view bytes, const LineOrigin& origin) {
  if (!partial_.empty() || continued_) {
    const std::size_t end = bytes.find('\n');
    const std::size_t part = end == std::string_view::npos ? bytes.size() : end + 1;
    take_part(bytes.substr(0, part), origin);
    bytes.remove_prefix(part);
  }
  if (const std::size_t last = bytes.rfind('\n'); last != std::string_view::npos) {
    take_lines(bytes.substr(0, last + 1), origin);
    bytes.remove_prefix(last + 1);
  }
  if (!bytes.empty()) take_part(bytes, origin);
}

void LineSplitter::take_lines(std::string_view lines, const LineOrigin& origin) {
  if (lines.size() <= longest_) return emit({.bytes = lines}, origin);
  while (!lines.empty()) {
    const std::size_t size = lines.find('\n') + 1;
    take_part(lines.substr(0, size), origin);
    lines.remove_prefix(size);
  }
}

// At most one line, with its end or without.
void LineSplitter::take_part(std::string_view part, const LineOrigin& origin) {
  const bool ends = part.ends_with('\n');
  while (partial_.size() + part.size() - (ends ? 1 : 0) > longest_) {
    const std::size_t fits = longest_ - partial_.size();
    partial_.append(part.substr(0, fits));
    part.remove_prefix(fits);
    const std::size_t cut = text::end_of_characters(partial_);
    emit({.bytes = std::string_view(partial_).substr(0, cut), .continued = continued_, .goes_on = true},
         origin);
    continued_ = true;
    partial_.erase(0, cut);
  }
  if (ends && partial_.empty()) {
    emit({.bytes = part, .continued = continued_}, origin);
    continued_ = false;
    return;
  }
  partial_.append(part);
  if (ends) finish(origin);
}

void LineSplitter::finish(const LineOrigin& origin) {
  if (!partial_.empty()) emit({.bytes = partial_, .continued = continued_}, origin);
  continued_ = false;
  give_back(partial_);
}

void LineSplitter::tell_unfinished() {
  if (listener != nullptr && !partial_.empty()) listener->on_unfinished(partial_);
}

void LineSplitter::emit(const LogText& text, const LineOrigin& origin) {
  std::string_view rest = text.bytes;
  while (listener != nullptr && !rest.empty()) {  // which may have heard enough
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    listener->on_line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  LogText counted = text;
  counted.ends = ends_in(text.bytes);
  sink_.add(counted, origin);
}

}  // namespace belfry::daemon
