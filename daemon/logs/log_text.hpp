// What goes from a service's pipe to those who write, keep or send it: whole lines, and where they come from.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace belfry::daemon {

// Which of its descriptors a service has written to; `output` when both are one pipe, so that their order is
// kept.
enum class LogStream : std::uint8_t { output, standard_output, standard_error };

// "output", "stdout", "stderr".
[[nodiscard]] constexpr std::string_view name_of(LogStream stream) {
  switch (stream) {
    case LogStream::output: return "output";
    case LogStream::standard_output: return "stdout";
    case LogStream::standard_error: return "stderr";
  }
  return {};
}

// Of everything that was read at once.
struct LineOrigin {
  std::chrono::system_clock::time_point at{};  // when belfry has read it
  std::uint64_t incarnation = 0;               // 0: before the first run (a hook), or belfry itself
  LogStream stream = LogStream::output;
};

// Lines, each with its end; or one without: a piece of a line that is cut, or the last words of a writer.
struct LogText {
  std::string_view bytes;
  bool continued = false;  // it is the rest of a line that was cut
  bool goes_on = false;    // it is cut itself
  std::size_t ends = 0;    // line ends in it, where somebody has counted them: ends_in()
};

// How many lines end in `text`.
[[nodiscard]] std::size_t ends_in(std::string_view text);
[[nodiscard]] inline std::size_t ends_in(const LogText& text) {
  return text.ends > 0 ? text.ends : ends_in(text.bytes);
}

class LineSink {
 public:
  virtual void add(const LogText& text, const LineOrigin& origin) = 0;

 protected:
  ~LineSink() = default;
};

}  // namespace belfry::daemon
