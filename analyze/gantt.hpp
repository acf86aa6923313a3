// A course as a picture: one self-contained SVG, readable in light and in dark.
#pragma once

#include <string>
#include <string_view>

#include "analyze/course.hpp"

namespace belfry::analyze {

struct GanttText {
  std::string title;     // "shop: start of 2026-11-30 12:00"
  std::string end;       // what the last step of all led to: "ready", "stopped"
  bool in_page = false;  // the page around it has the style
};

// The rules of the style alone.
[[nodiscard]] std::string_view gantt_style();

// Whatever a name holds is text. Of a large stack the critical path and the longest steps.
[[nodiscard]] std::string gantt(const Analysis& analysis, const GanttText& text);

// "120 ms", "3.2 s", "4 min 12 s".
[[nodiscard]] std::string span_text(Duration span);

}  // namespace belfry::analyze
