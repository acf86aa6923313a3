#include "system/time_of_day.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

#include "channels/asio.hpp"

namespace belfry::system {

namespace {

// Comes at the end of time, or when the clock is set before: that is what it is for (timerfd_create(2)).
bool arm_for_changes(int fd) {
  itimerspec never{};
  never.it_value.tv_sec = std::numeric_limits<std::int32_t>::max() * std::int64_t{2};
  return ::timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) == 0 ||
         errno == ECANCELED;
}

}  // namespace

// Shared with Asio's pending handler, so that either may go first.
struct MachineTimeOfDay::State final : Callback, std::enable_shared_from_this<State> {
  State(Loop& l, int fd, Wakeup& told) : loop(l), descriptor(l.io(), fd), changed(&told) {}

  void arm() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const error_code& error) {
                            if (error || !self->descriptor.is_open()) return;
                            self->loop.wake_from_io(*self);
                            self->arm();
                          });
  }

  // The read says ECANCELED. Armed anew before anybody reads the clock: a change after that is told again.
  void run() noexcept override {
    std::uint64_t expirations = 0;
    [[maybe_unused]] const auto got = ::read(descriptor.native_handle(), &expirations, sizeof expirations);
    [[maybe_unused]] const bool armed = arm_for_changes(descriptor.native_handle());
    if (changed != nullptr) changed->notify();
  }

  Loop& loop;
  asio::posix::basic_stream_descriptor<Executor> descriptor;
  Wakeup* changed;
};

MachineTimeOfDay::MachineTimeOfDay(Loop& loop) : loop_(loop) {}

MachineTimeOfDay::~MachineTimeOfDay() {
  if (!state_) return;
  state_->changed = nullptr;
  state_->unlink();
  error_code ignored;
  state_->descriptor.close(ignored);
}

WallTime MachineTimeOfDay::now() const {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

Result<void> MachineTimeOfDay::tell(Wakeup& changed) {
  if (state_) {
    state_->changed = &changed;
    return {};
  }
  const int fd = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return std::unexpected(Error::from_errno(errno, "cannot be told when the time of day is set"));
  if (!arm_for_changes(fd)) {
    const int errnum = errno;
    ::close(fd);
    return std::unexpected(Error::from_errno(errnum, "cannot be told when the time of day is set"));
  }
  state_ = std::make_shared<State>(loop_, fd, changed);
  state_->arm();
  return {};
}

}  // namespace belfry::system
