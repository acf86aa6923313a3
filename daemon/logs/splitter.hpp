// From bytes as they are read to whole lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/logs/log_text.hpp"

namespace belfry::daemon {

// Is told each line of a service as the service wrote it, before anything is dropped.
class LineListener {
 public:
  virtual void on_line(std::string_view line) = 0;
  // A line whose end has not come, and its writer has ended; it goes on in the next on_line() if somebody
  // else writes the rest.
  virtual void on_unfinished(std::string_view) {}
  // Whatever is told next comes in one turn. How many bytes of it are to be read, so that looking at them
  // keeps nobody else waiting; where they cannot be left for the next turn, more are read all the same.
  virtual std::size_t on_turn() { return std::size_t{1} << 20; }

 protected:
  ~LineListener() = default;
};

// What is read at once goes on in one piece, up to its last line; a line that is longer than its bound is
// cut. Owner: the pipe. Lifecycle: outlives restarts. The sink outlives it.
class LineSplitter {
 public:
  static constexpr std::uint32_t usual_longest = std::uint32_t{1} << 20;

  explicit LineSplitter(LineSink& sink, std::uint32_t longest = usual_longest)
      : sink_(sink), longest_(longest) {}

  // An unfinished line waits for its end, or for finish().
  void take(std::string_view bytes, const LineOrigin& origin);
  void finish(const LineOrigin& origin);
  // Its writer has ended, but others may write on: the listener hears what there is of the last line.
  void tell_unfinished();

  LineListener* listener = nullptr;  // of whoever owns the source

 private:
  void take_lines(std::string_view lines, const LineOrigin& origin);
  void take_part(std::string_view part, const LineOrigin& origin);
  void emit(const LogText& text, const LineOrigin& origin);

  LineSink& sink_;
  std::uint32_t longest_;   // bytes
  bool continued_ = false;  // what comes next is the rest of a line that was cut
  std::string partial_;
};

}  // namespace belfry::daemon
