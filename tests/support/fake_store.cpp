#include "tests/support/fake_store.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "channels/sleep.hpp"

namespace belfry::testing {

using etcd::Compare;
using etcd::Event;
using etcd::KeyValue;
using etcd::Revision;

// --- the cluster
// ----------------------------------------------------------------------------------------------

void FakeEtcd::changed() {
  if (on_change) on_change();
  for (Wakeup* const watch : watching_) watch->notify();
}

void FakeEtcd::put(const etcd::Put& put) {
  KeyValue& kept = state_.keys[put.key];
  if (kept.version == 0) kept.create_revision = state_.revision;
  kept.key = put.key;
  kept.value = put.value;
  kept.lease = put.lease;
  kept.mod_revision = state_.revision;
  ++kept.version;
  state_.history.push_back({.event = {.type = Event::Type::put, .key_value = kept}, .at = loop_.now()});
}

bool FakeEtcd::remove(const std::string& key) {
  if (state_.keys.erase(key) == 0) return false;
  KeyValue gone;
  gone.key = key;
  gone.mod_revision = state_.revision;
  state_.history.push_back({.event = {.type = Event::Type::deleted, .key_value = gone}, .at = loop_.now()});
  return true;
}

bool FakeEtcd::holds(const Compare& compare) const {
  if (compare.of_all) {
    return std::ranges::all_of(state_.keys, [&](const auto& one) {
      Compare of_one = compare;
      of_one.key = one.first;
      of_one.of_all = false;
      return !one.first.starts_with(compare.key) || holds(of_one);
    });
  }
  const auto found = state_.keys.find(compare.key);
  const KeyValue kept = found == state_.keys.end() ? KeyValue{} : found->second;
  // As etcd has it: of a key that is not there no value compares.
  if (compare.what == Compare::What::value && found == state_.keys.end()) return false;
  const auto number = [&]() -> std::int64_t {
    switch (compare.what) {
      case Compare::What::version: return kept.version;
      case Compare::What::create_revision: return kept.create_revision;
      case Compare::What::mod_revision: return kept.mod_revision;
      case Compare::What::lease: return kept.lease;
      case Compare::What::value: break;
    }
    return kept.value.compare(compare.text);
  }();
  const std::int64_t other = compare.what == Compare::What::value ? 0 : compare.number;
  switch (compare.how) {
    case Compare::How::equal: return number == other;
    case Compare::How::greater: return number > other;
    case Compare::How::less: return number < other;
    case Compare::How::not_equal: break;
  }
  return number != other;
}

etcd::TxnResult FakeEtcd::apply(const etcd::Txn& txn) {
  etcd::TxnResult result;
  result.held = std::ranges::all_of(txn.when, [this](const Compare& compare) { return holds(compare); });
  const std::vector<etcd::Operation>& branch = result.held ? txn.then : txn.otherwise;
  for (const etcd::Operation& operation : branch)
    if (const auto* put = std::get_if<etcd::Put>(&operation))
      if (put->lease != 0 && !state_.leases.contains(put->lease))
        return {.held = false, .lease_lost = true, .done = {}};
  const std::size_t told = state_.history.size();
  ++state_.revision;
  for (const etcd::Operation& operation : branch) {
    auto& done = result.done.emplace_back();
    if (const auto* one = std::get_if<etcd::Put>(&operation)) put(*one);
    if (const auto* one = std::get_if<etcd::Delete>(&operation)) done.deleted = remove(one->key) ? 1 : 0;
    if (const auto* one = std::get_if<etcd::Get>(&operation))
      if (const auto found = state_.keys.find(one->key); found != state_.keys.end())
        done.found.push_back(found->second);
  }
  if (state_.history.size() == told) --state_.revision;
  result.revision = state_.revision;
  changed();
  return result;
}

etcd::Lease FakeEtcd::grant(std::chrono::seconds ttl) {
  const etcd::LeaseId id = ++last_lease_;
  state_.leases[id] = {.ttl = ttl, .expires = loop_.now() + ttl + lease_overtime};
  arm();
  return {.id = id, .ttl = ttl};
}

std::chrono::seconds FakeEtcd::renew(etcd::LeaseId lease) {
  const auto found = state_.leases.find(lease);
  if (found == state_.leases.end()) return std::chrono::seconds(renews_what_is_gone ? 10 : 0);
  found->second.expires = loop_.now() + found->second.ttl + lease_overtime;
  arm();
  return found->second.ttl;
}

void FakeEtcd::lose_lease(etcd::LeaseId lease) {
  if (state_.leases.erase(lease) == 0) return;
  ++state_.revision;
  const std::size_t told = state_.history.size();
  const std::map<std::string, KeyValue> before = state_.keys;
  for (const auto& [key, kept] : before)
    if (kept.lease == lease) remove(key);
  if (state_.history.size() == told) --state_.revision;
  arm();
  changed();
}

// For the lease that expires first.
void FakeEtcd::arm() {
  if (state_.leases.empty()) return expiry_.cancel();
  const auto first = std::ranges::min_element(
      state_.leases, [](const auto& a, const auto& b) { return a.second.expires < b.second.expires; });
  expiry_.arm(first->second.expires, [this, lease = first->first] { lose_lease(lease); });
}

void FakeEtcd::compact(Revision revision) {
  state_.compacted = std::max(state_.compacted, std::min(revision, state_.revision));
  std::erase_if(state_.history, [this](const Recorded& recorded) {
    return recorded.event.key_value.mod_revision < state_.compacted;
  });
  changed();
}

std::shared_ptr<const FakeEtcd::Snapshot> FakeEtcd::snapshot() const {
  return std::make_shared<const Snapshot>(Snapshot{state_});
}

void FakeEtcd::restore(const Snapshot& then) {
  state_ = then.state;
  ++restores_;
  // etcd gives every lease that it finds its whole TTL again.
  for (auto& [id, lease] : state_.leases) lease.expires = loop_.now() + lease.ttl + lease_overtime;
  arm();
  changed();
}

// --- a host
// -----------------------------------------------------------------------------------------------------

void FakeStore::cut_off() {
  if (!healed_) healed_ = std::make_shared<Bell<>>(cluster_.loop(), "partition healed");
}

void FakeStore::heal() {
  if (const auto healed = std::exchange(healed_, nullptr)) healed->ring();
}

Task<Result<void>> FakeStore::cross(Context& ctx, Duration takes) {
  if (takes > Duration::zero()) {
    Result<void> slept = co_await sleep_for(ctx, takes);
    if (!slept) co_return slept;
  }
  while (const std::shared_ptr<Bell<>> healed = healed_) {
    const Outcome outcome = co_await healed->wait(ctx);
    if (outcome.cancelled()) co_return std::unexpected(outcome.cause);
  }
  if (ctx.cancelled()) co_return std::unexpected(ctx.cause());
  co_return Result<void>{};
}

Task<Result<Fate>> FakeStore::go(Context& ctx, std::string_view call) {
  const Fate chosen = fate ? fate(call) : Fate{};
  Result<void> there = co_await cross(ctx, chosen.there);
  if (!there) co_return std::unexpected(there.error());
  if (chosen.end == Fate::End::lost_before)
    co_return std::unexpected(Error::closed("the connection was lost"));
  co_return chosen;
}

Task<Result<void>> FakeStore::come_back(Context& ctx, Fate chosen) {
  Result<void> back = co_await cross(ctx, chosen.back);
  if (!back) co_return back;
  if (chosen.end == Fate::End::lost_after)
    co_return std::unexpected(Error::closed("the connection was lost"));
  co_return Result<void>{};
}

Task<Result<etcd::Range>> FakeStore::range(Context& ctx, std::string prefix) {
  Result<Fate> there = co_await go(ctx, "range");
  if (!there) co_return std::unexpected(there.error());
  etcd::Range found{.revision = cluster_.revision(), .keys = {}};
  for (const auto& [key, kept] : cluster_.keys())
    if (key.starts_with(prefix)) found.keys.push_back(kept);
  Result<void> back = co_await come_back(ctx, *there);
  if (!back) co_return std::unexpected(back.error());
  co_return found;
}

Task<Result<etcd::TxnResult>> FakeStore::txn(Context& ctx, etcd::Txn txn) {
  Result<Fate> there = co_await go(ctx, "txn");
  if (!there) co_return std::unexpected(there.error());
  etcd::TxnResult result = cluster_.apply(txn);
  Result<void> back = co_await come_back(ctx, *there);
  if (!back) co_return std::unexpected(back.error());
  co_return result;
}

Task<Result<etcd::Lease>> FakeStore::grant(Context& ctx, std::chrono::seconds ttl) {
  Result<Fate> there = co_await go(ctx, "grant");
  if (!there) co_return std::unexpected(there.error());
  const etcd::Lease lease = cluster_.grant(ttl);
  Result<void> back = co_await come_back(ctx, *there);
  if (!back) co_return std::unexpected(back.error());
  co_return lease;
}

Task<Result<std::chrono::seconds>> FakeStore::keep_alive(Context& ctx, etcd::LeaseId lease) {
  Result<Fate> there = co_await go(ctx, "keep_alive");
  if (!there) co_return std::unexpected(there.error());
  const std::chrono::seconds left = cluster_.renew(lease);
  Result<void> back = co_await come_back(ctx, *there);
  if (!back) co_return std::unexpected(back.error());
  co_return left;
}

Task<Result<void>> FakeStore::revoke(Context& ctx, etcd::LeaseId lease) {
  Result<Fate> there = co_await go(ctx, "revoke");
  if (!there) co_return std::unexpected(there.error());
  cluster_.lose_lease(lease);
  Result<void> back = co_await come_back(ctx, *there);
  co_return back;
}

// --- watches
// ------------------------------------------------------------------------------------------------------

// Owner, lifecycle, cancellation: as etcd::Watch.
class FakeWatch final : public etcd::Watch {
 public:
  FakeWatch(FakeStore& store, std::string prefix, Revision from)
      : store_(store), prefix_(std::move(prefix)), from_(from), restores_(store.cluster_.restores_) {
    store_.cluster_.watching_.insert(&news_);
  }
  ~FakeWatch() override { store_.cluster_.watching_.erase(&news_); }

  Task<Result<etcd::WatchNews>> next(Context& ctx) override {
    for (;;) {
      Result<void> crossed = co_await store_.cross(ctx, Duration::zero());
      if (!crossed) co_return std::unexpected(crossed.error());
      if (over_ || restores_ != store_.cluster_.restores_)
        co_return std::unexpected(Error::closed("the watch has ended"));
      if (from_ < store_.cluster_.state_.compacted) {
        over_ = true;
        co_return etcd::WatchNews{.revision = store_.cluster_.revision(),
                                  .events = {},
                                  .compacted = store_.cluster_.state_.compacted};
      }
      TimePoint visible = TimePoint::max();
      if (auto news = take(visible)) co_return std::move(*news);
      // Until what is on its way has come, or something more happens.
      Result<void> waited;
      if (visible == TimePoint::max()) {
        waited = co_await news_.wait(ctx);
      } else {
        waited = co_await sleep_until(ctx, visible);
      }
      if (!waited) co_return std::unexpected(waited.error());
    }
  }

 private:
  // The events of the next revision that is to be told; `visible`: when it can be.
  std::optional<etcd::WatchNews> take(TimePoint& visible) {
    etcd::WatchNews news;
    for (const auto& [event, at] : store_.cluster_.state_.history) {
      const Revision revision = event.key_value.mod_revision;
      if (revision < from_ || !event.key_value.key.starts_with(prefix_)) continue;
      if (news.revision != 0 && news.revision != revision) break;
      const unsigned copies = store_.event_copies ? store_.event_copies(event) : 1;
      const TimePoint comes = at + (store_.event_delay ? store_.event_delay(event) : Duration::zero());
      if (comes > store_.cluster_.loop().now()) {
        visible = comes;
        break;
      }
      news.revision = revision;
      news.events.insert(news.events.end(), copies, event);
    }
    if (news.revision == 0 || visible != TimePoint::max()) return std::nullopt;
    from_ = news.revision + 1;
    return news;
  }

  FakeStore& store_;
  std::string prefix_;
  Revision from_;
  std::uint64_t restores_;
  bool over_ = false;
  Wakeup news_{store_.cluster_.loop(), "events of a fake etcd"};
};

Task<Result<std::unique_ptr<etcd::Watch>>> FakeStore::watch(Context& ctx, std::string prefix, Revision from) {
  Result<Fate> there = co_await go(ctx, "watch");
  if (!there) co_return std::unexpected(there.error());
  auto made = std::make_unique<FakeWatch>(*this, std::move(prefix), from);
  Result<void> back = co_await come_back(ctx, *there);
  if (!back) co_return std::unexpected(back.error());
  co_return std::unique_ptr<etcd::Watch>(std::move(made));
}

}  // namespace belfry::testing
