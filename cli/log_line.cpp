#include "cli/log_line.hpp"

#include <algorithm>

#include "text/escape.hpp"
#include "text/terminal_line.hpp"
#include "text/width.hpp"

namespace belfry::cli {
namespace {

constexpr std::size_t widest_name = 32;
// Red is for what went wrong, and dim for belfry itself.
constexpr Colour palette[] = {Colour::cyan, Colour::yellow, Colour::green, Colour::magenta, Colour::blue};
constexpr std::string_view own_name = "belfry";
// As in belfry's own output.
constexpr std::string_view cut_mark = " [belfry: line cut here, goes on below]";
constexpr std::string_view continued_mark = "[belfry: line continued] ";

}  // namespace

void LogLineFormat::set_names(const std::vector<std::string>& names) {
  std::size_t next = 0;
  for (const std::string& name : names) {
    const std::size_t width = text::display_width(text::visible(name));
    width_ = std::max(width_, std::min(width, widest_name));
    if (colours_.contains(name)) continue;
    colours_[name] = name == own_name ? Colour::dim : palette[next++ % std::size(palette)];
  }
}

std::string LogLineFormat::head(std::string_view service) const {
  std::string name = text::visible(service);
  const std::size_t width = text::display_width(name);
  name.append(width_ - std::min(width, width_), ' ').append(" |");
  const auto colour = colours_.find(service);
  return painted(name, colour == colours_.end() ? Colour::none : colour->second, style_.colour) + " ";
}

std::string LogLineFormat::line(const client::LogLine& line) const {
  std::string out = head(line.service);
  if (style_.timestamps) out += painted(text::visible(line.time), Colour::dim, style_.colour) + " ";
  if (line.continued) out += continued_mark;
  text::append_line_for_terminal(out, line.line,
                                 style_.colour ? text::Colours::kept : text::Colours::left_out);
  if (line.goes_on) out += cut_mark;
  return out + "\n";
}

std::string LogLineFormat::missed(const client::MissedLines& missed) const {
  std::string text = "[belfry: ";
  if (missed.count) text += std::to_string(*missed.count) + " ";
  text += missed.count == 1 ? "line is" : "lines are";
  text += " missing here: " + text::visible(missed.because) + "]";
  return head(missed.service.empty() ? own_name : missed.service) +
         painted(text, Colour::yellow, style_.colour) + "\n";
}

}  // namespace belfry::cli
