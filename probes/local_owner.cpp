#include "probes/local_owner.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "system/clock.hpp"
#include "system/proc.hpp"

namespace belfry::probes {

namespace {

using End = system::SockDiag::End;

End end_of(const LocalOwner::Endpoint& endpoint) {
  End end{.v6 = endpoint.address().is_v6(), .port = endpoint.port()};
  if (!end.v6) {
    const auto bytes = endpoint.address().to_v4().to_bytes();
    std::memcpy(end.address.data(), bytes.data(), bytes.size());
  } else {
    const auto bytes = endpoint.address().to_v6().to_bytes();
    std::memcpy(end.address.data(), bytes.data(), bytes.size());
  }
  return end;
}

// A moment of the loop's clock in clock ticks since the machine was started, suspensions included.
std::uint64_t ticks_of(TimePoint moment, TimePoint now) {
  const Duration at = system::time_since_boot() - (now - moment);
  return static_cast<std::uint64_t>(std::max(at, Duration::zero()) / system::clock_tick());
}

}  // namespace

LocalOwner::LocalOwner(KernelQuestions questions, const config::Probe& spec, const ProbeContext& about,
                       std::uint16_t port)
    : diag_(questions.diag), owners_(questions.owners), tree_(about.tree), began_(0) {
  if (spec.any_owner) tree_.leader = 0;
  if (tree_.leader == 0) return;
  began_ = about.began ? ticks_of(*about.began, Clock::now())
                       : system::proc::born_at(tree_.leader).value_or(SocketOwners::whenever);
  there_at_first_ = diag_.listeners(port, false);
}

bool LocalOwner::was_there(const system::ListeningSocket& listener) const {
  return std::ranges::find(there_at_first_, listener.cookie, &system::ListeningSocket::cookie) !=
         there_at_first_.end();
}

Task<CheckResult> LocalOwner::judge(Context& ctx, Endpoint own, Endpoint peer) {
  if (!judges()) co_return CheckResult{};
  if (!diag_.is_local(end_of(own), end_of(peer))) co_return CheckResult{};
  const auto listener = diag_.listener_at(end_of(peer));
  if (!listener)
    co_return std::unexpected(
        Error::failed("nobody listens on port " + std::to_string(peer.port()) + " any more"));
  const bool ours = co_await is_ours(ctx, *listener, peer.port());
  if (ours) co_return CheckResult{};
  CheckResult outcome = co_await judge_stranger(ctx, *listener, peer.port());
  co_return outcome;
}

// Of those who share a port any may have got the connection; one that is the service's is enough.
Task<bool> LocalOwner::is_ours(Context& ctx, system::ListeningSocket listener, std::uint16_t port) {
  Sockets alone{listener};
  bool ours = co_await owners_.are_held_by(ctx, tree_, std::move(alone), memory_);
  if (ours) co_return true;
  Sockets group = diag_.listeners(port, false, true);
  std::erase_if(group, [&](const auto& one) { return one.address != listener.address; });
  if (group.size() < 2) co_return false;
  ours = co_await owners_.are_held_by(ctx, tree_, std::move(group), memory_);
  co_return ours;
}

Task<CheckResult> LocalOwner::judge_stranger(Context& ctx, system::ListeningSocket listener,
                                             std::uint16_t port) {
  Sockets alone{listener};
  const SocketOwners::Holder holder =
      co_await owners_.holder_of(ctx, std::move(alone), began_, SocketOwners::InRest::wait);
  if (ctx.cancelled()) co_return std::unexpected(ctx.cause());
  const bool is_older = holder.process.pid != 0 && holder.process.born < began_;
  if (!is_older && (holder.process.pid != 0 || !was_there(listener))) co_return CheckResult{};
  const std::string who = is_older ? holder.text() : "another user's process (`ss -lnp` shows which)";
  co_return std::unexpected(Error::failed("port " + std::to_string(port) + " is held by " + who +
                                          ", not by this service; `owner: any` beside the "
                                          "probe lets it count"));
}

}  // namespace belfry::probes
