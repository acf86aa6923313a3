// One datagram of the sd_notify protocol (sd_notify(3)) as a value. Pure.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "channels/time/time.hpp"
#include "daemon/service/notify_state.hpp"

namespace belfry::daemon {

struct NotifyMessage {
  bool ready = false;
  bool stopping = false;
  bool reloading = false;
  bool barrier = false;  // alone in its message; answered by closing the one descriptor that came with it
  WatchdogPing watchdog = WatchdogPing::none;
  bool store_descriptors = false;
  bool remove_descriptors = false;
  bool poll_descriptors = true;                 // FDPOLL=0: stored ones stay although their other end is gone
  std::optional<TimePoint> monotonic{};         // MONOTONIC_USEC: when the sender began to reload
  std::optional<Duration> watchdog_interval{};  // WATCHDOG_USEC; zero: no watchdog
  std::optional<Duration> extend_timeout{};
  std::optional<pid_t> main_pid{};
  std::optional<int> errnum{};
  std::optional<int> exit_status{};
  std::optional<std::string> status{};
  std::string descriptor_name{};  // FDNAME; empty: none, or none that may be given
  bool bad_status = false;        // it had a status that is not UTF-8, which was left out
};

// The longest datagram that is looked at.
inline constexpr std::size_t longest_notify_message = 4096;

// Unknown assignments, and known ones whose value makes no sense, are ignored, as the protocol asks. An error
// for what no sender may send: too long, a NUL inside, nothing but a status that is not UTF-8, a barrier that
// is not alone.
[[nodiscard]] std::expected<NotifyMessage, NotifyRefusal> parse_notify_message(std::string_view datagram);

}  // namespace belfry::daemon
