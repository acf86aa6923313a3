// What the outside may see of the cluster that the stack is a part of: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"
#include "channels/time/time.hpp"

namespace belfry::daemon {

// A service that is ready on a host, as that host has published it.
struct PublishedView {
  std::string service;
  std::string host;
  std::int64_t generation = 0;  // its fencing token; 0: it is not in etcd (yet)
  std::uint64_t incarnation = 0;
  std::int64_t since_ms = 0;  // Unix time, by that host's clock
  std::string boot_id;        // of the belfry there
  std::vector<std::pair<std::string, std::string>> outputs;
  std::string trouble;  // of this host's own: why it is not there
};

struct ClusterCounts {
  std::uint64_t lists = 0, looks = 0, events = 0, refused = 0, backwards = 0, missed = 0;  // of the watcher
  std::uint64_t leases_lost = 0, txns = 0;                                                 // of the publisher
  std::uint64_t connections = 0, errors = 0;                                               // to etcd
};

// A service of this host that is to be taken down while others count on it.
struct LeaveView {
  std::string service;
  std::string waits_for;  // empty: it may go down, and is counted as being away
};

struct ClusterView {
  std::string name, host, boot_id;
  std::string member, version, id;  // of etcd; member empty: none is connected
  std::int64_t revision = 0;        // the last one that was seen
  std::vector<std::string> remarks;
  std::string trouble;     // why etcd cannot be asked; empty: it can
  bool watching = false;   // the stack follows services of others
  Duration watch_lag{0};   // of the watch, behind the last thing that this host has put
  Duration known_for{0};   // how old the last list is; meaningless before the first
  std::int64_t lease = 0;  // 0: none
  Duration lease_age{0};   // since it was renewed
  Duration lease_left{0};
  ClusterCounts counts;
  std::size_t published = 0;          // of this host, in etcd
  std::vector<LeaveView> restarts;    // of `update.max_unavailable`
  std::vector<PublishedView> own;     // what this host publishes
  std::vector<PublishedView> others;  // what all hosts have published, this one included
};

// Owner: the daemon. Lifecycle: outlives who asks it.
class ClusterSource {
 public:
  [[nodiscard]] virtual ClusterView cluster() const = 0;
  // The same without what is published, by whomever.
  [[nodiscard]] virtual ClusterView cluster_summary() const = 0;
  // Reads what all have published, where the stack follows nobody and so does not know it.
  virtual Task<Result<void>> refresh(Context& ctx) = 0;

 protected:
  ~ClusterSource() = default;
};

}  // namespace belfry::daemon
