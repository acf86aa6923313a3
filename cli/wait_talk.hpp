// What `belfry wait` says while it waits, and of a wait in vain.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "cli/waiting.hpp"
#include "waiter/wait.hpp"

namespace belfry::cli {

// "waiting 12s for db:5432: Connection refused (+2 more)", no wider than `width` (0: as wide as it is).
[[nodiscard]] std::string progress_line(Duration since, std::span<const waiter::Awaited* const> unmet,
                                        std::size_t width);

// "cannot wait any longer for db:5432: Connection refused"; of several, one in each line.
[[nodiscard]] std::string farewell(const std::vector<waiter::Awaited>& unmet);

// Owner: the command. Writes to standard error; on a terminal one line, which is gone with this object.
class WaitTalk final : public waiter::Listener {
 public:
  WaitTalk(WaitingFor what, bool on_terminal) : what_(what), on_terminal_(on_terminal) {}
  ~WaitTalk() { clear(); }
  WaitTalk(const WaitTalk&) = delete;
  WaitTalk& operator=(const WaitTalk&) = delete;

  std::string blame(const std::string& body, const std::vector<std::string>& services) override;
  void still_waiting(Duration since, std::span<const waiter::Awaited* const> unmet) override;
  void clear();

 private:
  WaitingFor what_;
  bool on_terminal_;
  bool shows_line_ = false;
};

}  // namespace belfry::cli
