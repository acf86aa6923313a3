// Whether whoever is at the other end of a library's connection may be told a password.
//
// The problem: a library connects and logs in by itself, and connects again when it thinks fit. Whoever holds
// the port in the service's place would be told a name and a password, or would have the library hash the
// password for it.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/loop.hpp"
#include "channels/task.hpp"
#include "probes/net/connection.hpp"

namespace belfry::probes {

// The error says who is there instead. Empty: whoever answers is right.
using PeerJudge = std::function<Task<Result<void>>(Context& ctx, Ends ends)>;

// Owner: a client. Lifecycle: asked whenever the library is about to go on, for as long as it logs in; it
// asks
//   the judge once for each connection. Cancellation: by the context.
class PeerCheck {
 public:
  PeerCheck(Loop& loop, PeerJudge judge) : loop_(loop), judge_(std::move(judge)) {}
  // Ok where no TCP connection stands: nothing can be said there.
  Task<Result<void>> check(Context& ctx, int descriptor);

 private:
  Loop& loop_;
  PeerJudge judge_;
  std::optional<Ends> right_;  // the connection that was judged last
};

}  // namespace belfry::probes
