// When to look again after a call of listen(2) was let go on: pure arithmetic.
//
// The call takes a microsecond once its thread runs again, so the first looks come turn after turn; a thread
// that gets no processor, be it because the loop has it, is given ever more time. Then nothing more happens
// until the next call: a service that waits costs nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "probes/schedule.hpp"

namespace belfry::probes {

inline constexpr std::uint32_t looks_in_turns = 8;  // some 10 µs
// After these, 3 ms, the very socket of the call is not looked for any more, but whoever listens there.
inline constexpr std::uint32_t looks_at_call = looks_in_turns + 8;
inline constexpr std::uint32_t looks_in_all = looks_in_turns + 19;  // 6.5 s

// The delay before the next look when `looks` were in vain since the call; zero: the next turn; empty: no
// more.
[[nodiscard]] std::optional<Duration> next_look(std::uint32_t looks);

// How often a service is asked that may listen without a system call (io_uring).
inline constexpr Duration net_period = std::chrono::milliseconds(250);

}  // namespace belfry::probes
