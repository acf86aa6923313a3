#include "text/terminal_line.hpp"

#include "text/escape.hpp"

namespace belfry::text {

namespace {

// How long the colour sequence is that `text` begins with: ESC [ digits and separators m. 0: it does not.
std::size_t colour_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789;:", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

}  // namespace

void append_line_for_terminal(std::string& out, std::string_view line, Colours colours) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  bool coloured = false;
  for (;;) {
    std::size_t escape = line.find('\x1b');
    const std::size_t colour = escape == std::string_view::npos ? 0 : colour_length(line.substr(escape));
    if (escape != std::string_view::npos && colour == 0) ++escape;
    append_visible(out, line.substr(0, escape));
    if (escape == std::string_view::npos) break;
    const bool passes = colour > 0 && colours == Colours::kept;
    if (passes) out.append(line.substr(escape, colour));
    line.remove_prefix(escape + colour);
    coloured = coloured || passes;
  }
  if (coloured) out.append("\x1b[0m");
}

}  // namespace belfry::text
