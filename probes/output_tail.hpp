// What a probe's command says: read as it comes, and its last words kept for the message.
//
// A command that is run every second must not write to belfry's own output: its lines would stand among those
// of the services, and where the reader of belfry's output is slow the command would wait for the reader, so
// that a healthy service would seem dead.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>

#include "channels/error.hpp"
#include "channels/loop.hpp"
#include "system/launch.hpp"
#include "system/owned_fd.hpp"

namespace belfry::probes {

// Owner: an attempt. Lifecycle: apply() before the spawn, passed() after it, then last_line() once, at the
//   end; a process that still has the pipe open then writes to nobody.
class OutputTail {
 public:
  static constexpr std::size_t most_kept = 4096;  // bytes, of as many as come

  explicit OutputTail(Loop& loop);
  ~OutputTail();
  OutputTail(const OutputTail&) = delete;
  OutputTail& operator=(const OutputTail&) = delete;

  // Standard output and error of the command. Error kind system: no descriptor is left.
  Result<void> apply(system::Launch& launch);
  // Of the pipe, once it is made: whoever has it open is of the command.
  [[nodiscard]] ino_t inode() const;
  // The clone has been tried.
  void passed() { write_end_.close(); }
  // ": " and the last line that is not empty, fit for a message and of bounded length; "" when there is none.
  std::string last_line();

 private:
  struct State;
  Loop& loop_;
  std::shared_ptr<State> state_;
  system::OwnedFd write_end_;
};

}  // namespace belfry::probes
