// How often the kernel has killed a process of this machine for lack of memory (oom_kill of /proc/vmstat).
//
// The problem: whom the OOM killer ends has died of SIGKILL like any other, and the kernel tells nobody but
// its own log, which few may read. The counter says it, compared with what it was when the process began; but
// a read of it costs 20 µs, and nobody's start is to wait for that. So what begins within the same second
// shares one look, which is taken when nothing else is left to do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "channels/time/time.hpp"

namespace belfry {
class Loop;
}

namespace belfry::system {

// Owner: the native resources. Lifecycle: a look that is due may outlive it. Cancellation: none.
class OomKills {
 public:
  // What there was at a beginning; empty until the look is taken, and where there is nothing to be seen.
  using Look = std::shared_ptr<const std::optional<std::uint64_t>>;

  explicit OomKills(Loop& loop, std::string file = "/proc/vmstat") : loop_(loop), file_(std::move(file)) {}

  // Somebody begins now.
  [[nodiscard]] Look begin();
  // How many were killed since then, of whatever service and stranger; nothing: it cannot be known.
  [[nodiscard]] std::optional<std::uint64_t> since(const Look& begun) const;

 private:
  Loop& loop_;
  std::string file_;
  TimePoint looked_at_ = TimePoint::min();
  Look last_;
};

}  // namespace belfry::system
