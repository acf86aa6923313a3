// Histories of several hosts around one etcd that has all its bad habits: belfry_cluster_simulation
// [--simulate N] [--seed S]; one history is told as it happens.
//
// Each host has a supervisor of its own, with the publisher and the watcher of the product; processes and
// etcd are the tests' fakes, on one clock. Three hosts publish `kafka`; three others start `app` when it is
// ready on as many hosts as they ask for. Judged is:
//   no false ring   when app starts, as many hosts were there, each at some moment since it began to wait
//   no false loss   when app loses its quorum, there was a moment since it began to wait for this run at
//   which
//                   too few were there
//   no crowd        when a host gets leave to take kafka down, no more than others may be without it are,
//                   and none goes down by a command without leave; in the end whoever may go has gone
//   no lost ring    once the faults have ended, within bounded time etcd has exactly what is ready, and
//   whoever
//                   can run runs
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "channels/loop.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "config/model/model.hpp"
#include "daemon/cluster/publisher.hpp"
#include "daemon/cluster/watcher.hpp"
#include "daemon/run/announcements.hpp"
#include "daemon/supervisor/supervisor.hpp"
#include "probes/kinds.hpp"
#include "tests/support/fake_probes.hpp"
#include "tests/support/fake_processes.hpp"
#include "tests/support/fake_resources.hpp"
#include "tests/support/fake_store.hpp"
#include "tests/support/stack_builder.hpp"

namespace belfry::simulation {
namespace {

using namespace std::chrono_literals;
using config::Probe;
using config::ServiceType;
using daemon::Service;
using daemon::State;
using testing::FakeEtcd;
using testing::FakeStore;

constexpr int hosts_of_each_kind = 3;

class Random {
 public:
  explicit Random(std::uint64_t seed) : generator_(seed) {}
  double share() { return std::uniform_real_distribution<double>()(generator_); }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(share() * static_cast<double>(n)) % n; }
  bool chance(double p) { return share() < p; }
  Duration within(Duration most) { return saturating_scale(most, share()); }

 private:
  std::mt19937_64 generator_;
};

// What etcd has had, and when: of each host, whether its key is there.
class Truth {
 public:
  explicit Truth(const FakeEtcd& etcd) : etcd_(etcd) { look(TimePoint::min()); }
  void look(TimePoint now) {
    std::set<std::string> there;
    for (const auto& [key, value] : etcd_.keys()) {
      const auto parts = keys_.parse(key);
      if (parts && parts->kind == daemon::cluster::KeyKind::publication) there.emplace(parts->host);
    }
    if (!moments_.empty() && moments_.back().there == there) return;
    moments_.push_back({now, std::move(there)});
  }
  // Another history begins: what both have may not have been the same.
  void break_off(TimePoint now) {
    moments_.push_back({now, {}});
    look(now);
  }
  // Those of `hosts` that were there at some moment from `since` on.
  [[nodiscard]] std::size_t were_there(const std::vector<std::string>& hosts, TimePoint since) const {
    return static_cast<std::size_t>(std::ranges::count_if(hosts, [&](const std::string& host) {
      return std::ranges::any_of(
          moments_, [&](const Moment& one) { return one.there.contains(host) && end_of(one) >= since; });
    }));
  }
  // The fewest of them at any moment from `since` on.
  [[nodiscard]] std::size_t fewest(const std::vector<std::string>& hosts, TimePoint since) const {
    std::size_t least = hosts.size();
    for (const Moment& one : moments_)
      if (end_of(one) >= since) least = std::min(least, count(one, hosts));
    return least;
  }
  [[nodiscard]] std::size_t now(const std::vector<std::string>& hosts) const {
    return count(moments_.back(), hosts);
  }
  [[nodiscard]] bool has(const std::string& host) const { return moments_.back().there.contains(host); }
  // Hosts that have leave to take it down, by what etcd has now, each with its lease.
  using Leaves = std::map<std::string, daemon::etcd::LeaseId>;
  [[nodiscard]] Leaves leaves() const {
    Leaves hosts;
    for (const auto& [key, value] : etcd_.keys()) {
      const auto parts = keys_.parse(key);
      if (parts && parts->kind == daemon::cluster::KeyKind::reservation)
        hosts.emplace(parts->host, value.lease);
    }
    return hosts;
  }

 private:
  struct Moment {
    TimePoint from;
    std::set<std::string> there;
  };
  static std::size_t count(const Moment& moment, const std::vector<std::string>& hosts) {
    return static_cast<std::size_t>(
        std::ranges::count_if(hosts, [&](const std::string& host) { return moment.there.contains(host); }));
  }
  [[nodiscard]] TimePoint end_of(const Moment& moment) const {
    const Moment* const next = &moment + 1;
    return next == moments_.data() + moments_.size() ? TimePoint::max() : next->from;
  }
  const FakeEtcd& etcd_;
  daemon::cluster::Keys keys_{"shop"};
  std::vector<Moment> moments_;
};

struct History;

// One host: a stack, its supervisor, and its part in the cluster.
class Host final : daemon::Reporter, probes::Factory {
 public:
  Host(History& history, std::string name, config::Stack stack);
  ~Host();
  void begin();

  std::string name;
  config::Stack stack;
  FakeStore store;
  testing::FakeProcesses processes;
  testing::FakeResources resources;
  testing::FakeProbes fake_probes;
  std::optional<daemon::cluster::Publisher> publisher;
  std::optional<daemon::cluster::Watcher> watcher;
  std::optional<daemon::cluster::Reservations> reservations;
  std::optional<daemon::Announcements> announcements;
  std::optional<daemon::Supervisor> supervisor;
  bool is_dead = false;
  TimePoint app_since = TimePoint::min();  // when app began to wait for its current run
  bool has_leave = false;  // it was given, and not given back: it may have gone with its lease

  [[nodiscard]] Service& service(std::string_view which) { return supervisor->at(*supervisor->find(which)); }
  [[nodiscard]] const config::ClusterExpectation& wanted() const {
    return *stack.services.front().ready.probes.front().cluster;
  }

 private:
  void state_changed(const Service& service, State from, State to) override;
  void notice(std::string_view about, const std::string& text) override;
  Result<std::unique_ptr<probes::Probe>> make(const Probe& probe,
                                              const probes::ProbeContext& context) override {
    if (probe.kind != Probe::Kind::cluster) return fake_probes.make(probe, context);
    return probes::make_cluster(*watcher, *this, probe, context);
  }
  History& history_;
};

struct History {
  History(std::uint64_t seed, bool is_told) : random(seed), told(is_told) {
    etcd.on_change = [this] {
      truth.look(loop.now());
      look_at_leaves();
    };
  }
  ~History() { loop.abandon(); }

  Random random;
  bool told;
  ManualClock clock;
  Loop loop{clock};
  Context root{loop};
  WaitGroup tasks{loop, "the simulation's"};
  FakeEtcd etcd{loop};
  Truth truth{etcd};
  std::deque<Host> hosts;
  Truth::Leaves had_leave;
  config::Update update;  // the same on all hosts
  std::string failure;
  std::shared_ptr<const FakeEtcd::Snapshot> backup;

  void say(const std::string& who, const std::string& what) const {
    if (!told) return;
    const double at = std::chrono::duration<double>(loop.now().time_since_epoch()).count() - 3600;
    std::printf("%9.3f %s %s\n", at, who.c_str(), what.c_str());
  }
  void fail(const std::string& what) {
    if (failure.empty()) failure = what;
    say("***", what);
  }
  void look_at_leaves();
  void judge_leave(Host& host, const Truth::Leaves& leaves);
  [[nodiscard]] std::size_t others_without(const Host& host, const Truth::Leaves& leaves) const;
  void settle() {
    while (loop.step()) truth.look(loop.now());
    truth.look(loop.now());
  }
  // Every timer is come to, and what follows from it is looked at.
  void pass(Duration time) {
    const TimePoint until = loop.now() + time;
    settle();
    while (failure.empty()) {
      const auto next = loop.timers().earliest();
      if (!next || *next > until) break;
      loop.advance(*next - loop.now());
      settle();
    }
    if (until > loop.now()) loop.advance(until - loop.now());
    settle();
  }
};

// One that is new: it is given at this moment, unless this host knows that it has it; then it was lost with
// its lease and is put again.
void History::look_at_leaves() {
  const Truth::Leaves leaves = truth.leaves();
  for (Host& host : hosts) {
    const auto had = had_leave.find(host.name);
    const bool has = leaves.contains(host.name);
    if (has && had == had_leave.end()) judge_leave(host, leaves);
    if (!has && had != had_leave.end() && etcd.has_lease(had->second)) host.has_leave = false;
  }
  had_leave = leaves;
}

void History::judge_leave(Host& host, const Truth::Leaves& leaves) {
  if (!host.publisher->kept().empty()) return;
  say("etcd", host.name + " has leave to take kafka down");
  host.has_leave = true;
  const std::size_t without = others_without(host, leaves);
  if (without >= update.max_unavailable)
    fail(host.name + " gets leave to take kafka down, and " + std::to_string(without) +
         " others are without it");
}

std::size_t History::others_without(const Host& host, const Truth::Leaves& leaves) const {
  std::size_t without = 0;
  for (const Host& one : hosts) {
    const bool should_have_it = std::ranges::find(update.hosts, one.name) != update.hosts.end();
    if (&one != &host && (leaves.contains(one.name) || (should_have_it && !truth.has(one.name)))) ++without;
  }
  return without;
}

Host::Host(History& history, std::string own_name, config::Stack own)
    : name(std::move(own_name)),
      stack(std::move(own)),
      store(history.etcd),
      processes(history.loop),
      history_(history) {
  const auto chance = [&history] { return history.random.share(); };
  publisher.emplace(history.root, store, daemon::cluster::Keys("shop"),
                    daemon::cluster::PublisherOptions{
                        .host = name,
                        .boot_id = "boot-" + name,
                        .predecessor = {},
                        .ttl = 10s,
                        .since_boot = [&history] { return history.loop.now().time_since_epoch(); }},
                    chance);
  watcher.emplace(history.root, store, daemon::cluster::Keys("shop"), chance);
  publisher->on_remark = [this](const std::string& about, const std::string& text) {
    history_.say(name, about + " " + text);
  };
  watcher->on_remark = [this](const std::string& text) { history_.say(name, text); };
  reservations.emplace(store, daemon::cluster::Keys("shop"), *publisher, name, chance);
  const Duration notice = history.random.chance(0.3) ? Duration(2s) : Duration::zero();
  announcements.emplace(history.loop, *publisher, *reservations, [notice] { return notice; });
  probes::Factory& factory = *this;
  daemon::Reporter& reporter = *this;
  supervisor.emplace(history.root, stack, processes, resources, factory, reporter, 1);
  supervisor->announce_by(*announcements);
}

Host::~Host() = default;

void Host::begin() {
  publisher->start();
  watcher->start();
  supervisor->begin({});
}

void Host::notice(std::string_view about, const std::string& text) {
  history_.say(name, std::string(about) + " " + text);
}

void Host::state_changed(const Service& service, State from, State to) {
  announcements->state_changed(service);
  history_.say(name, std::string(service.name()) + " " + std::string(daemon::name_of(to)) +
                         (service.record().cause ? ": " + service.record().cause.text() : ""));
  if (service.name() == "kafka" && history_.update.max_unavailable != 0) {
    const bool is_wished = service.record().cause.text() == "restarted by command";
    if (from == State::ready && to == State::stopping && is_wished && !has_leave)
      history_.fail(name + " restarts kafka without leave");
  }
  if (service.name() != "app") return;
  const auto& hosts = wanted().hosts;
  history_.truth.look(history_.loop.now());
  if (from == State::waiting && to == State::starting &&
      history_.truth.were_there(hosts, app_since) < wanted().require)
    history_.fail("a false ring on " + name + ": app starts");
  const bool is_lost = service.record().cause.text() == "lost quorum ready";
  if (from == State::ready && to == State::stopping && is_lost &&
      history_.truth.fewest(hosts, app_since) >= wanted().require)
    history_.fail("a false loss on " + name + ": app stops");
  if (to == State::waiting) app_since = history_.loop.now();
}

config::Stack publishing(const config::Update& update) {
  config::Stack stack = testing::a_stack();
  config::Service& kafka = testing::a_service(stack, "kafka", ServiceType::daemon);
  kafka.ready.probes.push_back(testing::a_probe());
  kafka.restart->delay = 500ms;
  kafka.extras = std::make_unique<config::ServiceExtras>();
  kafka.extras->publish = config::Publication{.outputs = {{"ADDRESS", "x:1"}}};
  kafka.extras->update = update;
  return stack;
}

config::Stack following(Random& random) {
  config::Stack stack = testing::a_stack();
  config::Service& quorum = testing::a_service(stack, "quorum", ServiceType::external);
  config::Probe probe = testing::a_probe(Probe::Kind::cluster);
  probe.target = "kafka";
  probe.cluster = std::make_unique<config::ClusterExpectation>();
  const std::size_t named = 1 + random.below(hosts_of_each_kind);
  for (std::size_t i = 0; i < named; ++i) probe.cluster->hosts.push_back("p" + std::to_string(i));
  probe.cluster->require = static_cast<std::uint32_t>(1 + random.below(named));
  quorum.ready.probes.push_back(std::move(probe));
  config::Service& app = testing::a_service(stack, "app", ServiceType::daemon);
  config::Dependency& edge = testing::depends(app, stack, "quorum");
  edge.on_loss = random.chance(0.7) ? config::OnLoss::restart : config::OnLoss::ignore;
  if (random.chance(0.3)) edge.loss_after = random.within(5s);
  return stack;
}

// --- faults

// Calls take their time, and some are lost on the way there or back.
void make_slow(History& history, Host& host) {
  const Duration there = history.random.within(800ms), back = history.random.within(800ms);
  const double lost = history.random.share() * 0.3;
  host.store.fate = [&history, there, back, lost](std::string_view) {
    testing::Fate fate{.there = history.random.within(there), .back = history.random.within(back)};
    if (history.random.chance(lost))
      fate.end =
          history.random.chance(0.5) ? testing::Fate::End::lost_before : testing::Fate::End::lost_after;
    return fate;
  };
}

void spoil_watch(History& history, Host& host) {
  const Duration late = history.random.within(20s);
  const double missing = history.random.share() * 0.5;
  host.store.event_delay = [&history, late](const daemon::etcd::Event&) {
    return history.random.within(late);
  };
  host.store.event_copies = [&history, missing](const daemon::etcd::Event&) {
    return history.random.chance(missing) ? 0U : history.random.chance(0.2) ? 2U : 1U;
  };
}

Task<> command(History& history, Host& host, daemon::ServiceCommand what) {
  Context patience(history.loop);
  (void)co_await host.supervisor->command(patience, what, 0, daemon::Manner::in_order);
}

void one_event(History& history) {
  Random& random = history.random;
  Host& host = history.hosts[random.below(history.hosts.size())];
  Host& publisher = history.hosts[random.below(hosts_of_each_kind)];
  switch (random.below(14)) {
    case 0:
    case 1: history.say(host.name, "is cut off"); return host.store.cut_off();
    case 2:
    case 3:
      if (host.is_dead) return;
      history.say(host.name, "is connected again");
      return host.store.heal();
    case 4: history.say(host.name, "has a slow way to etcd"); return make_slow(history, host);
    case 5: history.say(host.name, "has a bad watch"); return spoil_watch(history, host);
    case 6:
    case 7:
      if (publisher.is_dead || !publisher.processes.runs("kafka")) return;
      history.say(publisher.name, "kafka crashes");
      return publisher.processes.end("kafka", {.signaled = true, .value = 9});
    case 8:
    case 9: {
      if (publisher.is_dead) return;
      const auto what = random.chance(0.5) ? daemon::ServiceCommand::restart : daemon::ServiceCommand::stop;
      history.say(publisher.name, "kafka is to " + std::string(daemon::name_of(what)));
      return spawn(history.tasks, "command", command(history, publisher, what));
    }
    case 10:
      if (publisher.is_dead) return;
      return spawn(history.tasks, "command", command(history, publisher, daemon::ServiceCommand::start));
    case 11: history.say("etcd", "compacts"); return history.etcd.compact(history.etcd.revision());
    case 12:
      if (publisher.publisher->facts().lease == 0) return;
      history.say("etcd", "loses the lease of " + publisher.name);
      return history.etcd.lose_lease(publisher.publisher->facts().lease);
    default: break;
  }
  if (random.chance(0.5)) {
    history.etcd.lease_overtime = random.within(20s);
  } else if (random.chance(0.5)) {
    history.etcd.renews_what_is_gone = random.chance(0.5);
  } else if (history.backup == nullptr || random.chance(0.6)) {
    history.backup = history.etcd.snapshot();
  } else {
    history.say("etcd", "is restored from a backup");
    history.etcd.restore(*history.backup);
    history.truth.break_off(history.loop.now());
  }
}

void end_faults(History& history) {
  history.say("", "all faults end");
  history.etcd.lease_overtime = Duration::zero();
  history.etcd.renews_what_is_gone = false;
  for (Host& host : history.hosts) {
    host.store.fate = {};
    host.store.event_delay = {};
    host.store.event_copies = {};
    host.store.heal();
  }
}

void judge_the_end(History& history) {
  for (Host& host : history.hosts) {
    if (host.stack.services.size() == 1) {
      const bool waits = !host.reservations->waits().empty();
      if (waits && history.others_without(host, history.truth.leaves()) < history.update.max_unavailable)
        history.fail("at the end " + host.name + " waits with its restart, and nobody is without kafka");
      const bool is_ready = host.service("kafka").default_level();
      if (history.truth.has(host.name) != is_ready)
        history.fail("at the end etcd says of " + host.name + " that kafka is " + (is_ready ? "not " : "") +
                     "ready");
      continue;
    }
    const bool could = history.truth.now(host.wanted().hosts) >= host.wanted().require;
    const bool runs = host.service("app").state() == State::ready;
    const bool ignores = host.stack.services[1].depends_on[0].on_loss == config::OnLoss::ignore;
    if (could && !runs) history.fail("at the end app on " + host.name + " does not run, and could");
    if (!could && host.service("quorum").state() == State::ready)
      history.fail("at the end the quorum on " + host.name + " is ready, and is not there");
    if (!could && runs && !ignores) history.fail("at the end app on " + host.name + " runs, and should not");
  }
}

// Empty: it went well.
std::string live_through(std::uint64_t seed, bool is_told) {
  History history(seed, is_told);
  if (history.random.chance(0.7)) history.update.max_unavailable = 1 + (history.random.chance(0.3) ? 1 : 0);
  if (history.random.chance(0.5)) history.update.hosts = {"p0", "p1", "p2"};
  for (int i = 0; i < hosts_of_each_kind; ++i)
    history.hosts.emplace_back(history, "p" + std::to_string(i), publishing(history.update));
  for (int i = 0; i < hosts_of_each_kind; ++i)
    history.hosts.emplace_back(history, "w" + std::to_string(i), following(history.random));
  for (Host& host : history.hosts) {
    if (history.random.chance(0.2)) make_slow(history, host);
    host.begin();
    if (history.random.chance(0.5)) history.pass(history.random.within(3s));
  }
  const std::size_t events = 5 + history.random.below(40);
  for (std::size_t i = 0; i < events && history.failure.empty(); ++i) {
    one_event(history);
    history.pass(history.random.within(history.random.chance(0.1) ? Duration(60s) : Duration(4s)));
  }
  if (history.failure.empty()) end_faults(history);
  if (history.failure.empty()) history.pass(150s);
  if (history.failure.empty()) judge_the_end(history);
  return history.failure;
}

std::uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }

}  // namespace
}  // namespace belfry::simulation

int main(int argc, char** argv) {
  std::uint64_t histories = 2000, seed = 1;
  if (const char* asked = std::getenv("BELFRY_SIMULATE")) histories = belfry::simulation::number(asked);
  bool is_told = false;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--simulate") histories = belfry::simulation::number(argv[i + 1]);
    if (option == "--seed") seed = belfry::simulation::number(argv[i + 1]);
    is_told = is_told || (option == "--seed" && histories == 1);
  }
  std::uint64_t failures = 0;
  for (std::uint64_t i = 0; i < histories; ++i) {
    const std::string failure = belfry::simulation::live_through(seed + i, is_told);
    if (failure.empty()) continue;
    std::fprintf(stderr, "history %llu: %s (told by --simulate 1 --seed %llu)\n",
                 static_cast<unsigned long long>(seed + i), failure.c_str(),
                 static_cast<unsigned long long>(seed + i));
    if (++failures == 10) break;
  }
  std::printf("%llu histories of several hosts, %llu failed\n", static_cast<unsigned long long>(histories),
              static_cast<unsigned long long>(failures));
  return failures == 0 ? 0 : 1;
}
