// One datagram of the sd_notify protocol (sd_notify(3)) as a value. Pure.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "channels/time/time.hpp"
#include "daemon/service/notify_message.hpp"
#include "daemon/state/notify_refusal.hpp"

namespace belfry::daemon {

// The longest datagram that is looked at.
inline constexpr std::size_t longest_notify_message = 4096;

// Unknown assignments, and known ones whose value makes no sense, are ignored, as the protocol asks. An error
// for what no sender may send: too long, a NUL inside, nothing but a status that is not UTF-8, a barrier that
// is not alone.
[[nodiscard]] std::expected<NotifyMessage, NotifyRefusal> parse_notify_message(std::string_view datagram);

}  // namespace belfry::daemon
