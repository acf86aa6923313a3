// Leave to take a service of this host down, so that no more than so many hosts are without it at once.
//
// The problem: each host restarts its member when somebody tells it to, and two that do so in the same second
// take a quorum away, with every bell rung in time. So whoever wants to puts a key beside its publication, by
// a transaction that holds only if nothing of that service has been put since he looked, and whom he has
// counted is still there. Of two who look at the same moment one fails and looks again: somebody always gets
// on, no lock is held, and nobody waits for one who has died, as the key stands under the lease of its host.
//
// Counted as being without the service are those hosts that have such a key, those whose belfry says why it
// is not ready there, and those that were named and have not published it. A host that dies is none of this
// belfry's doing: it can only be counted.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "channels/context.hpp"
#include "channels/task.hpp"
#include "daemon/cluster/publisher.hpp"

namespace belfry::daemon::cluster {

// What is to go down.
struct Demand {
  std::string service;
  std::uint32_t most = 1;          // hosts without it at once, this one counted
  std::vector<std::string> hosts;  // who should have it; empty: whoever says something of it
};

// Owner: the cluster, beside the publisher, which keeps what was reserved. Lifecycle: end(), after which
// nobody
//   gets leave; outlives the tasks that wait for it.
// Cancellation: of each wait by its context; nothing is reserved then.
class Reservations {
 public:
  Reservations(etcd::Store& store, Keys keys, Publisher& publisher, std::string host, etcd::Random random);

  // Returns when all of it is reserved, at one moment. Each is given back by Publisher::give_back().
  // Errors: the context's, or that this belfry goes down.
  Task<Result<void>> reserve(Context& ctx, std::vector<Demand> demands);
  // It is down without anybody's leave: whoever waits for it takes nothing away any more.
  void is_down(std::string_view service);
  void end();

  // Why a service has to wait; by service. Those that have got leave are not in it.
  using Waits = std::map<std::string, std::string, std::less<>>;
  [[nodiscard]] const Waits& waits() const { return waits_; }
  // What somebody should know: the service, and what it waits for now.
  std::function<void(const std::string& service, const std::string& text)> on_wait;

 private:
  // What stands in etcd of one service, as far as leave depends on it.
  struct Look {
    etcd::Revision revision = 0;
    etcd::Revision ours = 0;                     // this belfry has leave already, since then; 0: it has not
    std::vector<etcd::KeyValue> counted_on;      // what other hosts have published
    std::map<std::string, std::string> without;  // other hosts, and why
  };
  // Somebody who waits.
  struct Asking {
    std::vector<Demand> demands;
    Context* round = nullptr;  // of the attempt that is under way; null: none is
  };
  struct Attempt {
    enum class End : std::uint8_t { given, look_again, wait } end = End::look_again;
    std::string service;          // that is waited for
    etcd::Revision revision = 0;  // which it was looked at in
  };

  Task<Result<void>> until_given(Context& ctx, Asking& asking);
  Task<bool> is_given_in_a_round(Context& ctx, const std::vector<Demand>& demands, std::uint32_t& failures);
  Task<Result<Attempt>> try_once(Context& ctx, const std::vector<Demand>& demands);
  Task<Result<Look>> look_at(Context& ctx, const Demand& demand);
  Task<Result<Attempt>> take(Context& ctx, const std::vector<Demand>& demands, const std::vector<Look>& looks,
                             std::uint64_t known_changes);
  Task<> until_news(Context& ctx, const Attempt& attempt);
  void waits_for(const std::string& service, const std::string& text);

  etcd::Store& store_;
  Keys keys_;
  Publisher& publisher_;
  std::string host_;
  etcd::Random random_;
  Waits waits_;
  std::set<Asking*> asking_;
  bool is_over_ = false;
};

}  // namespace belfry::daemon::cluster
