// Amounts of memory as people write them: `64MiB`, `1G`, `512`.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "config/model/duration.hpp"

namespace belfry::config {

// Bytes. K, M, G, T and KiB, MiB, GiB, TiB count by 1024 (as compose and systemd do for the short
// forms), KB, MB, GB, TB by 1000. No unit, or B: bytes.
[[nodiscard]] std::expected<std::uint64_t, Malformed> parse_size(std::string_view text);

}  // namespace belfry::config
