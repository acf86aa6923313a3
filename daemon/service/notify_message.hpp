// What one message of sd_notify(3) says, as plain values.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "channels/time/time.hpp"

namespace belfry::daemon {

// What WATCHDOG= said.
enum class WatchdogPing : std::uint8_t { none, alive, trigger };

struct NotifyMessage {
  pid_t sender = 0;  // filled in by whoever received it; 0: nobody knows
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
  std::vector<std::pair<std::string, std::string>> outputs{};  // X_BELFRY_SET=KEY=VALUE
  std::uint32_t bad_outputs = 0;                               // X_BELFRY_SET of what cannot be an output
  bool bad_status = false;  // it had a status that is not UTF-8, which was left out
};

}  // namespace belfry::daemon
