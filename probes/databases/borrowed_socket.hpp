// The socket of a library, for as long as it is waited for.
//
// The library owns it, reads and writes it, and may close it whenever it is called. So it is lent to the loop
// for one wait and taken back before the library is called again.
#pragma once

#include <optional>

#include "channels/asio.hpp"
#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/loop.hpp"
#include "channels/task.hpp"
#include "probes/net/connection.hpp"

namespace belfry::probes {

enum class Direction : bool { read, write };

// Until the descriptor can be read or written, or has failed. The error: the context's cause, or why it
// cannot be waited for.
Task<Result<void>> wait_for(Context& ctx, int descriptor, Direction direction);
// Empty: it is no TCP connection.
[[nodiscard]] std::optional<Ends> ends_of(Loop& loop, int descriptor);
// Neither side hears more of the other; the library still owns the descriptor.
void shut_down(Loop& loop, int descriptor);

}  // namespace belfry::probes
