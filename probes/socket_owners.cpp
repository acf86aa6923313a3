#include "probes/socket_owners.hpp"

#include <algorithm>
#include <utility>

#include "channels/sleep.hpp"
#include "probes/owner.hpp"
#include "system/proc.hpp"

namespace belfry::probes {

namespace {

constexpr std::uint32_t slice = 256;  // some 0.3 ms
constexpr std::size_t most_known = 16;
constexpr Duration longest_pause = std::chrono::milliseconds(20);
constexpr Duration shortest_belief = std::chrono::seconds(1);  // in what was not found

// Goes on with a search by one slice and adds up what it takes.
template <class Search>
SearchStep go_on(Loop& loop, Search& search, Duration& work) {
  const TimePoint began = loop.now();
  const SearchStep step = search.step(slice);
  work += loop.now() - began;
  return step;
}

}  // namespace

SocketOwners::SocketOwners(Loop& loop)
    : loop_(loop),
      in_trees_{.turns = Semaphore(loop, 1, "search in a service")},
      in_host_{.turns = Semaphore(loop, 1, "search in the host")} {}

Task<bool> SocketOwners::are_held_by(Context& ctx, const system::TreeId& tree, Sockets sockets,
                                     Memory& memory) {
  if (memory.ours && memory.sockets == sockets) co_return true;
  const Result<Permit> permit = co_await in_trees_.turns.acquire(ctx);
  if (!permit) co_return false;
  const Result<void> rested = co_await sleep_until(ctx, in_trees_.rests_until);
  if (!rested) co_return false;
  TreeSearch search(tree, sockets);
  Duration work{0};
  SearchStep step = go_on(loop_, search, work);
  while (step == SearchStep::more && !ctx.cancelled()) {
    co_await yield_to_all(loop_);
    step = go_on(loop_, search, work);
  }
  memory.sockets = std::move(sockets);
  memory.ours = step == SearchStep::found;
  if (!memory.ours) in_trees_.rest_after(work, loop_.now());
  co_return memory.ours;
}

const SocketOwners::Known* SocketOwners::known(const Sockets& sockets, std::uint64_t older_than) const {
  const auto it = std::ranges::find(known_, sockets, &Known::sockets);
  if (it == known_.end()) return nullptr;
  const Holder& holder = it->holder;
  if (holder.process.pid != 0 && !system::is_still(holder.process)) return nullptr;
  if (holder.process.pid != 0 && holder.process.born < older_than) return &*it;
  return older_than <= it->older_than && loop_.now() < it->until ? &*it : nullptr;
}

void SocketOwners::remember(Known known) {
  std::erase_if(known_, [&](const Known& one) { return one.sockets == known.sockets; });
  if (known_.size() == most_known) known_.erase(known_.begin());
  known_.push_back(std::move(known));
}

Task<SocketOwners::Holder> SocketOwners::holder_of(Context& ctx, Sockets sockets, std::uint64_t older_than,
                                                   InRest in_rest) {
  if (const Known* one = known(sockets, older_than)) co_return one->holder;
  if (in_rest == InRest::give_up && loop_.now() + longest_pause < in_host_.rests_until) co_return Holder{};
  const Result<Permit> permit = co_await in_host_.turns.acquire(ctx);
  if (!permit) co_return Holder{};
  // The search before this one has mostly looked for the same sockets.
  if (const Known* one = known(sockets, older_than)) co_return one->holder;
  const Result<void> rested = co_await sleep_until(ctx, in_host_.rests_until);
  if (!rested) co_return Holder{};
  Holder holder = co_await search(ctx, std::move(sockets), older_than);
  co_return holder;
}

Task<SocketOwners::Holder> SocketOwners::search(Context& ctx, Sockets sockets, std::uint64_t older_than) {
  HostSearch search(sockets);
  Holder found;
  Duration work{0};
  while (!ctx.cancelled()) {
    const SearchStep step = go_on(loop_, search, work);
    if (step == SearchStep::ended) break;
    if (step == SearchStep::found) {
      const auto process = system::identity_of(search.holder());
      const auto who = system::proc::describe(search.holder());
      if (process && who && (found.process.pid == 0 || process->born < older_than))
        found = {.process = *process, .name = who->name};
      if (found.process.pid != 0 && found.process.born < older_than) break;
      continue;
    }
    co_await yield_to_all(loop_);
  }
  in_host_.rest_after(work, loop_.now());
  if (ctx.cancelled()) co_return found;
  remember({.sockets = std::move(sockets),
            .older_than = older_than,
            .holder = found,
            .until = std::max(in_host_.rests_until, loop_.now() + shortest_belief)});
  co_return found;
}

}  // namespace belfry::probes
