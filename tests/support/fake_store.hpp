// An etcd of a test's own, with its bad habits: late, doubled and missing events, answers that are lost,
// leases that live too long, partitions, compaction, a revision that goes backwards. Deterministic, on the
// loop's clock.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/timer_queue.hpp"
#include "channels/wakeup.hpp"
#include "daemon/cluster/etcd/store.hpp"

namespace belfry::testing {

namespace etcd = daemon::etcd;

// The cluster: what it knows, whoever asks. Owner: the test. Lifecycle: outlives its stores.
class FakeEtcd {
 public:
  explicit FakeEtcd(Loop& loop) : loop_(loop), expiry_(loop) {}

  // --- what it does of itself
  // Forgets what was before `revision`: a watch that has not seen it ends.
  void compact(etcd::Revision revision);
  // As if it had expired.
  void lose_lease(etcd::LeaseId lease);
  [[nodiscard]] bool has_lease(etcd::LeaseId lease) const { return state_.leases.contains(lease); }
  // Everything as it was then, the revision, too, as after a restore from a backup. Watches break off.
  struct Snapshot;
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;
  void restore(const Snapshot& then);
  // By how much leases outlive their TTL.
  Duration lease_overtime{0};
  // A renewal is told of a lease that is gone (etcd's issue 20590).
  bool renews_what_is_gone = false;

  // Called after every change, before anybody is told.
  std::function<void()> on_change;

  [[nodiscard]] const std::map<std::string, etcd::KeyValue>& keys() const { return state_.keys; }
  [[nodiscard]] etcd::Revision revision() const { return state_.revision; }
  [[nodiscard]] Loop& loop() const { return loop_; }

 private:
  friend class FakeStore;
  friend class FakeWatch;
  struct LeaseState {
    std::chrono::seconds ttl{0};
    TimePoint expires;
  };
  struct Recorded {
    etcd::Event event;
    TimePoint at;
  };
  struct State {
    std::map<std::string, etcd::KeyValue> keys;
    std::vector<Recorded> history;  // behind the last compaction
    etcd::Revision revision = 1;
    etcd::Revision compacted = 0;
    std::map<etcd::LeaseId, LeaseState> leases;
  };

  etcd::TxnResult apply(const etcd::Txn& txn);
  [[nodiscard]] bool holds(const etcd::Compare& compare) const;
  void put(const etcd::Put& put);
  bool remove(const std::string& key);
  etcd::Lease grant(std::chrono::seconds ttl);
  std::chrono::seconds renew(etcd::LeaseId lease);
  void arm();
  void changed();

  Loop& loop_;
  State state_;
  etcd::LeaseId last_lease_ = 0;  // is never given twice, whatever is restored
  std::uint64_t restores_ = 0;
  std::set<Wakeup*> watching_;
  Timer expiry_;
};

struct FakeEtcd::Snapshot {
  State state;
};

// What becomes of one call.
struct Fate {
  enum class End : std::uint8_t { answered, lost_before, lost_after };  // it was done
  Duration there{0};
  Duration back{0};
  End end = End::answered;
};

// The cluster as one host sees it. Owner: the test. Lifecycle, cancellation: as etcd::Store.
class FakeStore final : public etcd::Store {
 public:
  explicit FakeStore(FakeEtcd& cluster) : cluster_(cluster) {}

  // By the name of the call: "range", "txn", "grant", "keep_alive", "revoke", "watch". Unset: answered at
  // once.
  std::function<Fate(std::string_view call)> fate;
  // How late a watch hears of an event, and how often: 0 is never.
  std::function<Duration(const etcd::Event& event)> event_delay;
  std::function<unsigned(const etcd::Event& event)> event_copies;
  // Nothing goes to the cluster or comes from it, and nobody is told.
  void cut_off();
  void heal();

  Task<Result<etcd::Range>> range(Context& ctx, std::string prefix) override;
  Task<Result<etcd::TxnResult>> txn(Context& ctx, etcd::Txn txn) override;
  Task<Result<etcd::Lease>> grant(Context& ctx, std::chrono::seconds ttl) override;
  Task<Result<std::chrono::seconds>> keep_alive(Context& ctx, etcd::LeaseId lease) override;
  Task<Result<void>> revoke(Context& ctx, etcd::LeaseId lease) override;
  Task<Result<std::unique_ptr<etcd::Watch>>> watch(Context& ctx, std::string prefix,
                                                   etcd::Revision from) override;

 private:
  friend class FakeWatch;
  // The way there and the way back.
  Task<Result<Fate>> go(Context& ctx, std::string_view call);
  Task<Result<void>> come_back(Context& ctx, Fate fate);
  Task<Result<void>> cross(Context& ctx, Duration takes);

  FakeEtcd& cluster_;
  std::shared_ptr<Bell<>> healed_;  // null: it is not cut off
};

}  // namespace belfry::testing
