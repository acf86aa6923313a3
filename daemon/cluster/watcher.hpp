// What other hosts have published, kept as etcd has it.
//
// The problem: a watch may be late, doubled, silent, or leave something out, and whoever starts by it starts
// on what is not so any more. So a list that the cluster agrees on is the truth, and the watch behind it only
// tells of what came since: a key that appears is believed, as it is newer than the list; one that vanishes
// is looked for before it counts as gone. Whatever ends the watch means: list again. So does time, as a
// member that has stopped says nothing.
//
// Where etcd cannot be asked, what was known stays, as of when it was known; nothing is lost by it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "channels/context.hpp"
#include "channels/handshake.hpp"
#include "channels/wait_group.hpp"
#include "channels/wakeup.hpp"
#include "daemon/cluster/etcd/endpoints.hpp"
#include "daemon/cluster/etcd/store.hpp"
#include "daemon/cluster/keys.hpp"
#include "daemon/cluster/publication.hpp"
#include "probes/remote_services.hpp"

namespace belfry::daemon::cluster {

// One host's part in a service.
struct Placed {
  Publication publication;
  etcd::Revision generation = 0;
  etcd::Revision changed_in = 0;
};

struct WatcherFacts {
  std::uint64_t lists = 0;      // of everything below the prefix
  std::uint64_t looks = 0;      // of one service
  std::uint64_t events = 0;     // that brought news
  std::uint64_t errors = 0;     // what was asked and not answered
  std::uint64_t refused = 0;    // keys and values that are none of belfry's
  std::uint64_t backwards = 0;  // how often the revision went backwards
  std::uint64_t missed = 0;     // what a list has brought and the watch had not told
  Duration lag{0};  // of the watch, behind the last transaction of this host that it should tell of
  etcd::Revision revision = 0;
  TimePoint listed_at = TimePoint::min();  // when the last list that was answered was asked for
  Error trouble;                           // why etcd cannot be asked; empty: it can
  std::string remark;                      // on what stands there, for people
};

struct WatcherTimes {
  Duration list_again = std::chrono::seconds(45);  // a third earlier or later
  Duration answer = std::chrono::seconds(15);      // for one question
  Duration spread = std::chrono::seconds(10);      // of those who list again and on whom nobody waits
};

// Owner: the cluster, on the daemon's stack. Lifecycle: start(), stop(); outlives what follows it. Nothing is
//   asked before somebody follows a service.
// Cancellation: stop() ends every question.
class Watcher final : public probes::RemoteServices {
 public:
  Watcher(Context& parent, etcd::Store& store, Keys keys, etcd::Random random, WatcherTimes times = {});
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  void start();
  Handshake::Stop stop(Context& patience) { return life_.stop(patience); }
  std::unique_ptr<probes::RemoteService> follow(std::string_view service) override;

  // Asks for everything once, where nobody follows anything; else what is known is fresh enough.
  Task<Result<void>> refresh(Context& ctx);
  [[nodiscard]] bool is_watching() const { return followers_ != 0; }
  [[nodiscard]] const WatcherFacts& facts() const { return facts_; }
  // By service, then by host: those that are ready.
  using Hosts = std::map<std::string, Placed, std::less<>>;
  void each(const std::function<void(std::string_view service, const Hosts& hosts)>& f) const;
  // This host has put something in that revision, which the watch is to tell of.
  void expect(etcd::Revision revision);
  [[nodiscard]] Duration lag() const;
  // What somebody should know, once.
  std::function<void(const std::string&)> on_remark;

 private:
  class Follower;
  friend class Follower;
  struct Remote {
    Hosts ready;
    Hosts words;
    etcd::Revision words_listed_in = 0;
    etcd::Revision listed_in = 0;  // by a list or a look: older events are known
    TimePoint as_of = TimePoint::min();
    bool is_to_look = false;
    std::set<Follower*> followers;
  };
  using Remotes = std::map<std::string, Remote, std::less<>>;

  Task<> live(Context& ctx);
  Task<Result<void>> list_and_follow(Context& ctx);
  Task<Result<void>> list(Context& ctx);
  Task<Result<void>> follow_from(Context& ctx, etcd::Revision from);
  Task<> read_news(Context& ctx, etcd::Watch& watch, std::optional<Result<void>>& end);
  Task<> rest(Context& ctx, std::uint32_t failures);
  [[nodiscard]] bool is_waited_for() const;  // somebody would start by what is known next
  Task<Result<void>> look_at_doubtful(Context& ctx);
  Task<Result<void>> look(Context& ctx, std::string service);
  void take(const etcd::WatchNews& news);
  void has_come_to(etcd::Revision revision);
  void take(const etcd::Event& event);
  // `known`: when it was asked for.
  [[nodiscard]] Result<void> advance(etcd::Revision known, etcd::Revision revision);
  void forget_all();
  // False: it is none of belfry's.
  bool place(Hosts& hosts, const KeyParts& parts, const etcd::KeyValue& key_value);
  void adopt(Remote& remote, Hosts ready, Hosts words, etcd::Revision revision, TimePoint as_of);
  void keep_what_was(Hosts& ready, const KeyParts& parts) const;
  void refuse(std::string_view key, std::string_view why);
  void in_trouble(const Error& why);
  void tell(const Remote& remote);
  void tell_all();
  [[nodiscard]] TimePoint list_again_at() const;
  Remote& remote(std::string_view service) {
    return remotes_.try_emplace(std::string(service)).first->second;
  }

  Loop& loop_;
  etcd::Store& store_;
  Keys keys_;
  etcd::Random random_;
  WatcherTimes times_;
  WatcherFacts facts_;
  Remotes remotes_;
  std::size_t followers_ = 0;
  bool refreshing_ = false;
  bool was_compacted_ = false;   // what the watch was to tell
  etcd::Revision expected_ = 0;  // 0: nothing
  TimePoint expected_since_{};
  Wakeup attention_;
  std::set<std::string, std::less<>> remarked_;
  Handshake life_;  // last: its context goes before what it cancels
};

}  // namespace belfry::daemon::cluster
