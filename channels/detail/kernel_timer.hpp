// The one timer that the kernel knows of. Included by loop.cpp only.
//
// On Linux it is a timerfd of our own: Asio's timers leave the kernel armed for a deadline that was
// taken back, and look every five minutes whether the clock was changed. An idle process must not
// wake at all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "channels/asio.hpp"
#include "channels/detail/loop_alive.hpp"
#include "channels/time/time.hpp"

#if defined(__linux__)
#include <sys/timerfd.h>

#include <cerrno>
#include <system_error>
#endif

namespace belfry::detail {

// Owner: the loop. Lifecycle: disarmed, armed, fired (or set anew)…; destroyed before the io_context.
// Cancellation: set({}).
class KernelTimer {
 public:
  using Fired = void (*)(void* context);

  // How often the kernel was told anything.
  std::uint64_t changes() const noexcept { return changes_; }

#if defined(__linux__)
  KernelTimer(asio::io_context& io, Fired fired, void* context, const LoopAlive& alive)
      : descriptor_(io.get_executor(), create()), fired_(fired), context_(context), alive_(alive) {}

  // One system call; one more when it was not armed before.
  void set(std::optional<TimePoint> when) {
    armed_ = when.has_value();
    ++changes_;
    itimerspec spec{};
    if (when) {
      const auto since_boot = std::max<std::int64_t>(1, when->time_since_epoch().count());
      spec.it_value.tv_sec = since_boot / 1'000'000'000;
      spec.it_value.tv_nsec = since_boot % 1'000'000'000;
    }
    ::timerfd_settime(descriptor_.native_handle(), TFD_TIMER_ABSTIME, &spec, nullptr);
    if (armed_ && !waiting_) wait();
    if (!armed_ && waiting_) descriptor_.cancel();
  }

 private:
  static int create() {
    const int fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot create the loop's timer");
    return fd;
  }
  void wait() {
    waiting_ = true;
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                           [this, alive = alive_](const error_code& error) {
                             if (!alive) return;
                             waiting_ = false;
                             if (!error) {
                               fired_(context_);  // sets it anew, which also makes the descriptor unreadable
                             } else if (armed_) {
                               wait();  // armed again between the cancel and its completion
                             }
                           });
  }

  asio::posix::basic_stream_descriptor<Executor> descriptor_;
  bool armed_ = false;
  bool waiting_ = false;
#else
  KernelTimer(asio::io_context& io, Fired fired, void* context, const LoopAlive& alive)
      : timer_(io.get_executor()), fired_(fired), context_(context), alive_(alive) {}

  void set(std::optional<TimePoint> when) {
    ++changes_;
    timer_.cancel();
    if (!when) return;
    timer_.expires_at(*when);
    timer_.async_wait([this, alive = alive_](const error_code& error) {
      if (alive && !error) fired_(context_);
    });
  }

 private:
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer_;
#endif

  Fired fired_;
  void* context_;
  LoopAlive alive_;
  std::uint64_t changes_ = 0;
};

}  // namespace belfry::detail
