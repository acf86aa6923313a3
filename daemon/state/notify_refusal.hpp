// Why a notify message, or a part of it, was not taken; and how often.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace belfry::daemon {

enum class NotifyRefusal : std::uint8_t {
  too_long,        // over 4096 bytes
  has_nul,         // a NUL before the end
  not_utf8,        // STATUS is not UTF-8
  bad_barrier,     // BARRIER=1 beside other assignments, or not with exactly one descriptor
  cut_off,         // the kernel had to cut the message or what was attached to it
  no_credentials,  // the kernel does not say who sent it
  stranger,        // the sender is no process of the service
  not_allowed,     // the sender is one, but `notify_access` does not let it speak
  after_stopping,  // READY=1 after STOPPING=1: who is leaving does not come back
  bad_main_pid,    // MAINPID= names no process of the service
  bad_output,      // X_BELFRY_SET= is not KEY=VALUE with a key and a value that can be one
  late_output,     // X_BELFRY_SET= after the bell that would have carried it
  too_many_outputs,
};
inline constexpr std::size_t notify_refusal_count = 13;

// In counters: "after_stopping". For people: "READY=1 after STOPPING=1".
[[nodiscard]] std::string_view name_of(NotifyRefusal why);
[[nodiscard]] std::string_view text_of(NotifyRefusal why);

// What a service's notify socket has seen since the daemon started.
struct NotifyTally {
  std::array<std::uint64_t, notify_refusal_count> refused{};
  std::uint64_t descriptors_refused = 0;  // FDSTORE=1 beyond `fd_store`
  std::uint32_t descriptors_stored = 0;   // held now

  [[nodiscard]] std::uint64_t refused_in_all() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t one : refused) sum += one;
    return sum;
  }
};

}  // namespace belfry::daemon
