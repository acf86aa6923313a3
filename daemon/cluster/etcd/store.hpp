// What publisher and watcher need of etcd, and nothing else. Who answers is a cluster (client.hpp) or a test.
//
// What may be built on: a range and a transaction are strictly serializable. A watch is a hint that it is
// time to look: its events may come late, twice, or not at all. A lease may live longer than its TTL, and a
// renewal may be told of a lease that is gone: a transaction that compares the key's lease tells the truth.
//
// Every call ends within a turn of its context's cancellation, with that cause. The other errors say in words
// what was asked and of whom, and by their kind what is known:
//   refused   nothing was asked: no member could be reached, or none that may be talked to
//   failed    etcd has said no
//   closed    the connection or the client ended in the middle: a transaction may have been done, or not
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"
#include "daemon/cluster/etcd/values.hpp"

namespace belfry::daemon::etcd {

// Owner: whoever watches; goes before its store. Lifecycle: next() until an error or a compaction, then gone.
//   Destroying it ends the watch and waits for nothing. One next() at a time.
// Cancellation: next() can be called again after a cancel; nothing is lost by it.
class Watch {
 public:
  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  virtual ~Watch() = default;

  virtual Task<Result<WatchNews>> next(Context& ctx) = 0;
};

// Owner: the main flow. Lifecycle: outlives every call and every Watch.
class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  virtual Task<Result<Range>> range(Context& ctx, std::string prefix) = 0;
  virtual Task<Result<TxnResult>> txn(Context& ctx, Txn txn) = 0;
  virtual Task<Result<Lease>> grant(Context& ctx, std::chrono::seconds ttl) = 0;
  // How long it lives from now on; 0: it is gone. Count from a moment before the call, never from the answer.
  virtual Task<Result<std::chrono::seconds>> keep_alive(Context& ctx, LeaseId lease) = 0;
  // One that is gone already is revoked.
  virtual Task<Result<void>> revoke(Context& ctx, LeaseId lease) = 0;
  // What changes below the prefix at `from` and later, as a member sees it that knows a leader.
  virtual Task<Result<std::unique_ptr<Watch>>> watch(Context& ctx, std::string prefix, Revision from) = 0;
};

}  // namespace belfry::daemon::etcd
