// What this host tells the others: a key for each service that is ready here, under one lease that is kept
// alive.
//
// The problem: the key must be there only while the service is ready, whatever becomes of the connection, of
// etcd and of this belfry. So what is wanted is a set of values, and one task makes etcd equal to it, again
// and again: with transactions that compare what they change, as the answer to one may be lost. A key is
// never put onto another lease than ours, and never over somebody else's.
//
// A lease is over when it has run out by our clock, counted from before the renewal was sent and through a
// suspend of the machine; and when a transaction finds the key on another lease, as a renewal may be
// confirmed of one that is gone. Then all is published again, as new generations; the services run on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/handshake.hpp"
#include "channels/wakeup.hpp"
#include "daemon/cluster/etcd/endpoints.hpp"
#include "daemon/cluster/etcd/store.hpp"
#include "daemon/cluster/keys.hpp"
#include "daemon/cluster/publication.hpp"

namespace belfry::daemon::cluster {

struct PublisherOptions {
  std::string host;
  std::string boot_id;  // of this belfry
  std::string
      predecessor;  // of the one before it on this host, which is known to be gone; empty: nobody knows
  Duration ttl = std::chrono::seconds(10);
  Duration answer = std::chrono::seconds(15);
  // How long the machine has been up, suspended or not (CLOCK_BOOTTIME).
  std::function<Duration()> since_boot;
};

struct PublisherFacts {
  etcd::LeaseId lease = 0;  // 0: none
  TimePoint renewed_at = TimePoint::min();
  std::uint64_t leases_lost = 0;
  std::uint64_t txns = 0;
  std::uint64_t errors = 0;
  Error trouble;  // why etcd does not say what it should; empty: it does
};

// One of this host's publications.
struct Own {
  std::string service;
  Publication publication;
  etcd::Revision generation = 0;  // 0: it is not there yet
  std::string trouble;            // why not; empty: it is on its way
};

// Owner: the cluster. Lifecycle: start(); publish() and withdraw(), in any order; stop() after they were all
//   withdrawn, or the lease runs out by itself.
// Cancellation: stop() ends every question.
class Publisher {
 public:
  Publisher(Context& parent, etcd::Store& store, Keys keys, PublisherOptions options, etcd::Random random);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void start();
  Handshake::Stop stop(Context& patience) { return life_.stop(patience); }

  // From now on this is so. The one of the same service before is replaced.
  void publish(std::string_view service, Publication publication);
  // It is not ready, and why; "": nobody is told.
  void not_ready(std::string_view service, std::string why, std::int64_t since_ms);
  // Rings when nobody can read any more that it is ready here; or never, when etcd cannot be asked.
  std::shared_ptr<Bell<>> withdraw(std::string_view service);
  // What a host writes that has leave to take a service down; and from now on it stands there, where it was
  // put in that revision (reservations.hpp).
  [[nodiscard]] Publication leave() const;
  void keep(std::string_view service, Publication leave, etcd::Revision generation);
  // It is not needed any more, if there was any.
  void give_back(std::string_view service);
  // Nothing is on its way that was given back.
  [[nodiscard]] bool is_given_back(std::string_view service) const;
  // How often any was kept or given back.
  [[nodiscard]] std::uint64_t leaves_changed() const { return leaves_changed_; }
  // Whether anything of it stands in etcd, as far as this host knows.
  [[nodiscard]] bool is_published(std::string_view service) const;

  [[nodiscard]] const PublisherFacts& facts() const { return facts_; }
  [[nodiscard]] std::vector<Own> all() const;
  [[nodiscard]] std::size_t published() const;
  [[nodiscard]] std::vector<std::string> kept() const;  // services that there is leave for
  // When the lease is over, in the time of since_boot().
  [[nodiscard]] Duration lease_left() const;
  // A transaction has put something in that revision.
  std::function<void(etcd::Revision revision)> on_put;
  // What somebody should know: the service, and what.
  std::function<void(const std::string& service, const std::string& text)> on_remark;

 private:
  // One key, as it is to be and as it is.
  struct Entry {
    std::string service;
    std::optional<Publication> wanted;  // nothing: that it is not there
    std::optional<Publication> there;   // under our lease
    bool is_doubtful = false;           // a transaction was lost: nobody knows what is there
    bool is_taken = false;              // by somebody else: looked at again with the next renewal
    etcd::Revision generation = 0;
    std::string trouble;
    std::shared_ptr<Bell<>> gone;  // null: nobody waits for its end
  };
  using Entries = std::map<std::string, Entry, std::less<>>;  // by key

  Task<> live(Context& ctx);
  Task<Result<void>> step(Context& ctx);
  Task<Result<void>> ensure_lease(Context& ctx);
  Task<Result<void>> renew(Context& ctx);
  Task<Result<void>> verify(Context& ctx);
  Task<Result<void>> settle(Context& ctx);
  enum class Step : std::uint8_t { goes, is_doubtful, comes };
  [[nodiscard]] std::vector<std::string> those_that(Step step) const;
  Task<Result<bool>> settle_at_once(Context& ctx, const std::vector<std::string>& keys);
  Task<Result<void>> settle_one_by_one(Context& ctx, std::vector<std::string> keys);
  Task<Result<void>> settle_one(Context& ctx, const std::string& key);
  Task<Result<etcd::TxnResult>> ask(Context& ctx, etcd::Txn txn);
  Task<Result<void>> make_way(Context& ctx, const std::string& key, const etcd::KeyValue& found);
  Task<> let_go(Context& ctx);
  Entry& entry(KeyKind kind, std::string_view service);
  [[nodiscard]] bool differs(const Entry& entry) const;
  [[nodiscard]] bool has_work() const;
  enum class Certain : std::uint8_t { no, yes };
  void lose_lease(const std::string& why, Certain certain);
  void is_there(Entry& entry, etcd::Revision generation);
  void is_gone(Entry& entry);
  void remark(Entry& entry, std::string text);
  void in_trouble(const Error& why);
  [[nodiscard]] TimePoint renewal_due() const;

  Loop& loop_;
  etcd::Store& store_;
  Keys keys_;
  PublisherOptions options_;
  etcd::Random random_;
  PublisherFacts facts_;
  Entries entries_;
  Wakeup attention_;
  Duration expires_{0};  // in the time of since_boot()
  Duration ttl_{0};      // of the lease we have
  TimePoint renew_at_{};
  std::uint32_t renewals_ = 0;
  std::uint64_t leaves_changed_ = 0;
  Handshake life_;  // last: its context goes before what it cancels
};

}  // namespace belfry::daemon::cluster
