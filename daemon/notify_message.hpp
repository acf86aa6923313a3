// One datagram of the sd_notify protocol (sd_notify(3)) as a value. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "channels/error.hpp"

namespace belfry::daemon {

struct NotifyMessage {
  bool ready = false;
  bool stopping = false;
  bool reloading = false;
  std::optional<std::string> status;
};

// The longest datagram that is looked at.
inline constexpr std::size_t longest_notify_message = 4096;

// Unknown assignments are ignored, as the protocol asks. An error for what no sender may send: too long, a
// NUL inside, a status that is not UTF-8.
[[nodiscard]] Result<NotifyMessage> parse_notify_message(std::string_view datagram);

}  // namespace belfry::daemon
