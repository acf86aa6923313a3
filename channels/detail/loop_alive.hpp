// Whether a loop is still there, for handlers that stand in an io_context which outlives it.
#pragma once

#include <utility>

namespace belfry::detail {

// A counted flag. Owner: the loop and the handlers that hold a copy; all on the loop's thread.
// Lifecycle: alive until Loop::abandon.
class LoopAlive {
 public:
  LoopAlive() : flag_(new Flag) {}
  LoopAlive(const LoopAlive& other) noexcept : flag_(other.flag_) { ++flag_->users; }
  LoopAlive(LoopAlive&& other) noexcept : flag_(std::exchange(other.flag_, nullptr)) {}
  LoopAlive& operator=(const LoopAlive&) = delete;
  ~LoopAlive() {
    if (flag_ != nullptr && --flag_->users == 0) delete flag_;
  }

  explicit operator bool() const noexcept { return flag_->alive; }
  void end() noexcept { flag_->alive = false; }

 private:
  struct Flag {
    int users = 1;
    bool alive = true;
  };
  Flag* flag_;
};

}  // namespace belfry::detail
