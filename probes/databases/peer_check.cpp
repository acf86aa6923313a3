#include "probes/databases/peer_check.hpp"

#include "probes/databases/borrowed_socket.hpp"

namespace belfry::probes {

Task<Result<void>> PeerCheck::check(Context& ctx, int descriptor) {
  if (!judge_) co_return Result<void>{};
  const std::optional<Ends> ends = ends_of(loop_, descriptor);
  if (!ends) co_return Result<void>{};
  if (right_ && right_->own == ends->own && right_->peer == ends->peer) co_return Result<void>{};
  Result<void> good = co_await judge_(ctx, *ends);
  if (good) right_ = ends;
  co_return good;
}

}  // namespace belfry::probes
