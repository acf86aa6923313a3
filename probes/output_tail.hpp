// What a probe's command says: read as it comes, and its last words kept for the message.
//
// A command that is asked every second must not write where belfry does: among lines that bear the name of a
// service, and to a reader who may be slow, so that a healthy service seems dead because its probe waits for
// him.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "channels/error.hpp"
#include "channels/loop.hpp"
#include "system/launch.hpp"

namespace belfry::probes {

// Owner: an attempt. Lifecycle: apply() before the spawn, passed() after it, then last_line() once, at the
// end;
//   who still holds the pipe then writes to nobody.
// Cancellation: the destructor; nothing is waited for.
class OutputTail {
 public:
  static constexpr std::size_t most_kept = 4096;  // bytes, of as many as come

  explicit OutputTail(Loop& loop);
  ~OutputTail();
  OutputTail(const OutputTail&) = delete;
  OutputTail& operator=(const OutputTail&) = delete;

  // Standard output and error of the command. Error kind system: no descriptor is left.
  Result<void> apply(system::Launch& launch);
  // The clone has been tried.
  void passed();
  // ": " and the last line that is not empty, fit for a message and of bounded length; "" when there is none.
  std::string last_line();

 private:
  struct State;
  Loop& loop_;
  std::shared_ptr<State> state_;
  int write_end_ = -1;
};

}  // namespace belfry::probes
