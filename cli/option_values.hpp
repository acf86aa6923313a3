// How the value of an option is read, and what is said of one that is not understood.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "channels/time/time.hpp"
#include "client/failure.hpp"

namespace belfry::cli {

// 64, "cannot understand OPTION: why".
[[nodiscard]] std::unexpected<client::Failure> misunderstood(const std::string& option,
                                                             const std::string& why, std::string next_step);

// Leaves `out` alone where nothing was written.
[[nodiscard]] client::Expected<void> read_duration(const std::string& option, const std::string& text,
                                                   std::optional<Duration>& out);

}  // namespace belfry::cli
