// A block of lines at the bottom of a terminal that is drawn again and again in the same place: a line for
// each service. Strings in, strings out: whoever has a terminal writes them there.
//
// No mode of the terminal is changed and the cursor stays where it is seen, so nothing has to be put back,
// however the program ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/paint.hpp"

namespace belfry::text {

// What there is to draw on.
struct Screen {
  std::size_t width = 0, height = 0;  // 0: not known
  bool colour = false;                // neither NO_COLOR nor TERM=dumb says otherwise
  bool rewrites = false;              // lines can be drawn again
  bool has_signs = false;             // more than ASCII can be shown
};

// How a state looks: its colour, and signs that differ in shape for whoever sees no colours.
struct Look {
  std::string_view sign, ascii;
  Colour colour = Colour::none;
  std::uint8_t rank = 0;  // where there is no room for all, those of lower rank are left out
};
[[nodiscard]] Look look_of(std::string_view state);

struct LiveRow {
  std::string name, state, time, why;  // fit to be shown
};

// Whom there is room for, in their order: of `states` at most `room`, the ones most worth seeing.
[[nodiscard]] std::vector<std::size_t> worth_seeing(std::span<const std::string_view> states,
                                                    std::size_t room);

// How many lines of services fit beside the title and what scrolls above.
[[nodiscard]] std::size_t room_for_rows(const Screen& screen);

// A line for each row, none wider than the screen; `title` comes first, and last what is not shown, if
// anything.
[[nodiscard]] std::vector<std::string> live_lines(std::string_view title, std::span<const LiveRow> rows,
                                                  std::string_view left_out, const Screen& screen);

// "12 more: 10 ready, 2 waiting" of those states that are not in `shown`; empty: all are.
[[nodiscard]] std::string left_out_text(std::span<const std::string_view> states,
                                        std::span<const std::size_t> shown);

// Owner: whoever draws. Lifecycle: knows what was drawn last.
class LiveBlock {
 public:
  // What takes the block away, shows `above` (whole lines) in its place, and draws `lines` below it.
  std::string redraw(std::string_view above, std::span<const std::string> lines, std::size_t width);
  // What takes it away. Afterwards nothing is drawn.
  std::string erase(std::size_t width);

 private:
  std::vector<std::size_t> widths_;  // of the lines that stand there
};

}  // namespace belfry::text
