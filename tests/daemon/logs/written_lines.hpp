// What a service would write, on its way to one output: the splitter and the lines behind it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/logs/lines.hpp"
#include "daemon/logs/splitter.hpp"

namespace belfry::daemon::testing_support {

struct WrittenLines {
  explicit WrittenLines(std::string_view name, LineStyle style = {},
                        std::uint32_t longest = LineSplitter::usual_longest)
      : lines(name, style), splitter(lines, longest) {}
  void take(std::string_view bytes) { splitter.take(bytes, origin); }
  void finish() { splitter.finish(origin); }
  std::string taken() {
    std::string text;
    lines.move_to(text, lines.held());
    return text;
  }
  operator LogLines&() { return lines; }

  LogLines lines;
  LineSplitter splitter;
  LineOrigin origin{
      .at = std::chrono::system_clock::time_point(std::chrono::microseconds(1'764'493'391'000'042)),
      .incarnation = 3,
      .stream = LogStream::standard_error};
};

}  // namespace belfry::daemon::testing_support
