// What processes took of the machine, as the kernel sums it up when they are reaped.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

struct rusage;

namespace belfry::system {

// Of a process and the children that it has waited for (getrusage(2), RUSAGE_CHILDREN).
struct Usage {
  std::chrono::microseconds user{0};
  std::chrono::microseconds system{0};
  // The largest resident set of any one of them, and never less than belfry's own at the start: a process
  // begins in the memory of whoever cloned it with CLONE_VM, and its peak counts from there.
  std::uint64_t peak_bytes = 0;

  // Of another process besides: times add up, of the peaks the larger one stays.
  void add(const Usage& other) {
    user += other.user;
    system += other.system;
    peak_bytes = std::max(peak_bytes, other.peak_bytes);
  }
};

// Told of every process that was started here and has ended, right before whoever waits for its end is.
class UsageListener {
 public:
  virtual void on_usage(pid_t pid, const Usage& usage) = 0;

 protected:
  ~UsageListener() = default;
};

[[nodiscard]] Usage usage_of(const ::rusage& counted);

// belfry's own peak so far: what is not above it says of a child's only that it was at most so much.
[[nodiscard]] std::uint64_t own_peak_bytes();

}  // namespace belfry::system
