// Where an OutputWriter writes to when it is more than a descriptor: a file that is rotated, a socket that
// takes a datagram for each line.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace belfry::system {

// Owner: the OutputWriter. Lifecycle: that of its thread.
// Thread rules: everything in the writer's thread, except ask_to_reopen(). All may block.
class OutputTarget {
 public:
  virtual ~OutputTarget() = default;

  // Writes the beginning of whole lines: how many bytes of them are done with, or -errno when nothing can be
  // written now. The caller comes again with the rest.
  virtual ssize_t write(std::string_view lines) = 0;
  // The line that stands where so many are missing.
  virtual std::string marker(std::uint64_t lines, std::string_view why) = 0;
  // What is to be done without a line: when the writer was asked to attend to its target, and at the moment
  // that attend_at() names after everything that is done here.
  virtual void attend() {}
  [[nodiscard]] virtual std::optional<std::chrono::system_clock::time_point> attend_at() const {
    return std::nullopt;
  }
  // What went wrong beside the writing since this was asked last, in words; empty: nothing.
  virtual std::string trouble() { return {}; }
  // Any thread: what is open is opened again at the next chance.
  virtual void ask_to_reopen() {}
};

}  // namespace belfry::system
