// Appends lines to a file that several processes share and that is bounded: a history.
//
// Two of the same program may write at once, any of them may be killed in the middle, and the disk may be
// full. So whoever writes holds a lock (flock(2)); a line that does not fit onto the disk leaves nothing of
// itself behind; one that somebody was killed in is ended before the next one is written; and when the file
// has become too large, its newest half is written beside it and takes its place (rename(2)).
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "channels/time/time.hpp"

namespace belfry::system {

struct AppendOutcome {
  int errnum = 0;       // why the line is not there; 0: it is
  bool mended = false;  // the last line had no end
};

// Blocks: for the lock, and for the disk. The file is made with mode 0600, and must be a regular one of this
// user. `line` ends with a newline and is shorter than a quarter of `most`.
[[nodiscard]] AppendOutcome append_to_shared(const std::string& path, std::string_view line, off_t most);

// The same in a thread of its own, one line after the other.
// Owner: whoever has something to write. Lifecycle: a thread while there is something to write; the
// destructor
//   leaves one behind that is stuck. Cancellation: the destructor; finish() bounds the wait before.
// Thread rules: every member from the owner's thread.
class SharedAppender {
 public:
  // `done` is called in the writer's thread after each line; it must only pass the word on.
  SharedAppender(std::string path, off_t most, std::move_only_function<void(AppendOutcome)> done);
  ~SharedAppender();
  SharedAppender(const SharedAppender&) = delete;
  SharedAppender& operator=(const SharedAppender&) = delete;

  // Never blocks. False: there can be no thread now, and the line is lost.
  bool append(std::string line);
  // True when everything has been written, or could not be.
  bool finish(Duration patience);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace belfry::system
