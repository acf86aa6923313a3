// Writes to a descriptor that may block, in a thread of its own, so that nobody else ever waits for it.
//
// Standard output is shared with whoever started belfry, so it cannot be made non-blocking: O_NONBLOCK
// belongs to the open file description, and theirs would change with it. poll(2) before each write is not
// enough: a terminal that has room for one byte is writable and blocks at the second one, a pipe may have
// been filled by somebody else in between, and a disk is always writable. So a thread does the waiting. It
// holds no state but a mailbox: whole lines come in, and are gone when they have been written.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "channels/time/time.hpp"
#include "system/output_target.hpp"

namespace belfry::system {

// "PREFIX[belfry: 12 lines lost here: WHY]\n": what stands where lines are missing.
[[nodiscard]] std::string lost_lines_marker(std::string_view prefix, std::uint64_t lines,
                                            std::string_view why);

// Owner: whoever has something to write there; the thread has a descriptor of its own for the same open file.
// Lifecycle: the thread begins with the first line; all signals are blocked in it. The destructor joins it
//   when everything has been written. A thread that still writes is left behind instead, as it may be stuck
//   in write(2) for good: it owns what it touches, and ends with the piece it is at, or with the process.
// Cancellation: the destructor; with finish() or tell_when_written() the owner bounds the wait before.
// Thread rules: every member from the owner's thread.
class OutputWriter {
 public:
  // How much may wait in the mailbox until it counts as full. One put may go beyond.
  static constexpr std::size_t capacity = std::size_t{128} << 10;
  static constexpr std::size_t capacity_of_target = std::size_t{1} << 20;

  // `prefix` stands before the markers of lines that could not be written. `moved` is called in the writer's
  // thread, for who asked (room(), tell_when_written()); it must not call back, only pass the word on.
  OutputWriter(int descriptor, std::string prefix, std::move_only_function<void()> moved = {});
  // The same for a target of another kind.
  OutputWriter(std::unique_ptr<OutputTarget> target, std::move_only_function<void()> moved);
  ~OutputWriter();
  OutputWriter(const OutputWriter&) = delete;
  OutputWriter& operator=(const OutputWriter&) = delete;

  // How many bytes it will take now; when none, `moved` is called as soon as there is room again.
  [[nodiscard]] std::size_t room();
  // Whole lines. Takes the text over and leaves an empty one. Never blocks.
  void put(std::string& lines);
  void put(std::string&& lines) { put(lines); }

  // The target is attended to in the thread, although there may be no line; what it has open is opened again
  // before. Nothing happens for a mere descriptor.
  void attend();
  void reopen();

  // False: there is nothing left to write. Otherwise `moved` is called when that is so, or already when what
  // is left are at most so many bytes.
  bool tell_when_written(std::size_t but = 0);
  // Waits in the caller's thread, for those without a loop. True when everything has been written and told.
  bool finish(Duration patience);

  // So far, in bytes; that it grows shows that somebody reads.
  [[nodiscard]] std::uint64_t written() const;
  // How many lines wait, the one that is being written included.
  [[nodiscard]] std::uint64_t unwritten_lines() const;
  // The same in bytes.
  [[nodiscard]] std::size_t unwritten() const;
  // Lines that could not be written, in all; `moved` is called when there are more.
  [[nodiscard]] std::uint64_t lost_in_all() const;
  // What its target has complained of since this was asked last; `moved` is called when it does.
  [[nodiscard]] std::string take_trouble();
  // Why the last write failed, as errno; 0 when it did not. `moved` is called when writing begins to fail;
  // the lines are lost, and a marker says how many as soon as it can be written again.
  [[nodiscard]] int failure() const;

  // For the end, when whoever reads a pipe is late: lets the pipe itself hold up to `size` bytes
  // (F_SETPIPE_SZ), so that they can be read when belfry has gone. Returns how many are sure to fit beside
  // those that are unwritten; 0 for anything but a pipe, or when it does not grow.
  std::size_t enlarge_pipe(int size);

 private:
  struct State;
  bool start();
  std::shared_ptr<State> state_;
  pthread_t thread_{};
  bool started_ = false;
};

}  // namespace belfry::system
