// A line of somebody else's output for a terminal, with the colours that it has.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace belfry::text {

enum class Colours : std::uint8_t { kept, left_out };

// Colours (SGR, ECMA-48 8.3.117) pass and end with the line, or are left out; whatever else a terminal would
// obey is shown as U+FFFD. The carriage return of a line that ends with one is left out.
void append_line_for_terminal(std::string& out, std::string_view line, Colours colours = Colours::kept);

}  // namespace belfry::text
