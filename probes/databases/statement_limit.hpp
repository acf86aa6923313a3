// How long a server may take over a query.
//
// The problem: a server goes on with the query of a client that has gone away. Without a limit, those that
// wait for a lock would take one place after the other.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "channels/context.hpp"
#include "channels/loop.hpp"

namespace belfry::probes {

// As long as the context lasts, in milliseconds, one at least. Empty: it has no deadline.
inline std::optional<std::int64_t> statement_limit(Context& ctx) {
  const auto deadline = ctx.deadline();
  if (!deadline) return std::nullopt;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - ctx.loop().now());
  return std::max<std::int64_t>(left.count(), 1);
}

}  // namespace belfry::probes
