// How many descriptors belfry holds when a whole stack runs, and what is said when the limit is below that.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "config/model/model.hpp"

namespace belfry::daemon {

// What the HTTP server holds back, so that it answers when a stack has taken all the others.
inline constexpr std::size_t descriptors_held_for_clients = 16;

// Those that it takes to run at all, without any service.
[[nodiscard]] std::size_t descriptors_of_belfry();

// Of all enabled services at once, and of belfry itself; what clients connect with is not in it.
[[nodiscard]] std::size_t descriptors_needed(const config::Stack& stack);

// How many clients may be connected at one address: as many as are of use, but no more than three quarters
// of what the stack leaves of `limit`, so that a crowd of clients keeps no service from starting.
[[nodiscard]] std::size_t connections_for_clients(const config::Stack& stack, std::size_t limit);

// Nothing when `limit` (RLIMIT_NOFILE, getrlimit(2)) is enough. It is a remark and no error: not everything
// needs to run at once, and a start without descriptors is tried again.
[[nodiscard]] std::optional<std::string> shortage_of_descriptors(const config::Stack& stack,
                                                                 std::size_t limit);

}  // namespace belfry::daemon
