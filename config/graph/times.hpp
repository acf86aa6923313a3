// How long services take from their start to ready: declared by a person, or recorded by a daemon.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "config/model/duration.hpp"

namespace belfry::config {

using Times = std::map<std::string, Duration, std::less<>>;

// Lines `NAME DURATION`, blank ones and `#` comments between them; or the page /metrics of a daemon,
// of which belfry_service_ready_seconds is taken, the mean of each service.
[[nodiscard]] std::expected<Times, Malformed> parse_times(std::string_view text);

}  // namespace belfry::config
