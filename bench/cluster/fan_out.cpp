// How soon a bell of one host is seen by many others, beside etcd's own watch in the same run.
//
//   belfry_bench_fan_out ENDPOINT [HOSTS] [ROUNDS]
//
// One program plays all hosts: each has a client with a connection of its own and, in turn, a bare watch of
// etcd, and the watcher of belfry that follows a service. What is measured is from the call that puts the key
// to the moment in which each has been told, in both cases with the same client underneath.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "channels/loop.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "daemon/cluster/etcd/client.hpp"
#include "daemon/cluster/publisher.hpp"
#include "daemon/cluster/watcher.hpp"
#include "system/clock.hpp"

namespace {

using namespace belfry;
using namespace std::chrono_literals;
using daemon::cluster::Keys;
using daemon::cluster::Publisher;
using daemon::cluster::Watcher;
using daemon::etcd::Client;

// Counts those who have been told, and when each was.
struct Round {
  explicit Round(Loop& loop) : all(loop, "round") {}
  void begin(std::size_t hosts) {
    missing = hosts;
    begun_at = std::chrono::steady_clock::now();
    times.clear();
  }
  void told() {
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun_at).count());
    if (--missing == 0) all.notify();
  }
  std::size_t missing = 0;
  std::chrono::steady_clock::time_point begun_at;
  std::vector<double> times;
  Wakeup all;
};

double at(std::vector<double>& values, double share) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

struct Host final : probes::NewsListener {
  Host(Context& root, const daemon::etcd::ClientOptions& options, probes::Resolver& resolver,
       tls::Clients& tls, Round& round, const daemon::etcd::Random& random)
      : client(root, options, resolver, tls), watcher(root, client, Keys("bench"), random), round_(round) {
    client.start();
    watcher.start();
  }
  // Told once in each direction.
  void on_news() override {
    const bool now = !kafka->members().empty();
    if (now == is_there) return;
    is_there = now;
    round_.told();
  }
  Task<> watch_bare(Context& ctx) {
    auto watch = co_await client.watch(ctx, "bare/", 0);
    while (!watch && !ctx.cancelled()) watch = co_await client.watch(ctx, "bare/", 0);
    round_.told();
    while (watch && !ctx.cancelled()) {
      auto news = co_await (*watch)->next(ctx);
      if (!news) co_return;
      if (!news->events.empty()) round_.told();
    }
  }
  Client client;
  Watcher watcher;
  std::unique_ptr<probes::RemoteService> kafka;
  bool is_there = false;

 private:
  Round& round_;
};

Task<> put(Context& ctx, Client& client, int round) {
  daemon::etcd::Txn txn;
  txn.then.emplace_back(daemon::etcd::Put{"bare/key", std::to_string(round), 0});
  (void)co_await client.txn(ctx, std::move(txn));
}

Task<> measure(Loop& loop, Context& root, std::string endpoint, std::size_t hosts, int rounds) {
  probes::Resolver resolver(loop);
  tls::Clients tls;
  std::mt19937_64 generator(1);
  const daemon::etcd::Random random = [&generator] {
    return std::uniform_real_distribution<double>()(generator);
  };
  daemon::etcd::ClientOptions options{.endpoints = {*daemon::etcd::parse_endpoint(endpoint, false)},
                                      .tls = {},
                                      .user = {},
                                      .password = {},
                                      .cluster = 0,
                                      .random = random};
  Round round(loop);
  Client own(root, options, resolver, tls);
  own.start();
  Publisher publisher(root, own, Keys("bench"),
                      {.host = "a",
                       .boot_id = "bench",
                       .predecessor = {},
                       .ttl = 60s,
                       .since_boot = [] { return Duration(system::time_since_boot()); }},
                      random);
  publisher.start();
  std::deque<Host> all;
  WaitGroup tasks(loop, "bare watches");
  Context bare(root);
  round.begin(hosts);
  for (std::size_t i = 0; i < hosts; ++i) {
    all.emplace_back(root, options, resolver, tls, round, random);
    spawn(tasks, "bare watch", all.back().watch_bare(bare));
  }
  (void)co_await round.all.wait(root);
  for (Host& host : all) {
    host.kafka = host.watcher.follow("kafka");
    host.kafka->tell(&host);
  }
  (void)co_await sleep_for(root, 3s);
  std::vector<double> bare_last, bare_half, bell_last, bell_half, loss_last;
  for (int i = 0; i < rounds; ++i) {
    round.begin(hosts);
    co_await put(root, own, i);
    (void)co_await round.all.wait(root);
    bare_half.push_back(at(round.times, 0.5));
    bare_last.push_back(round.times.back());
    round.begin(hosts);
    publisher.publish(
        "kafka",
        {.boot_id = {}, .incarnation = 1, .since_ms = 1, .outputs = {{"ADDRESS", "x:1"}}, .words = {}});
    (void)co_await round.all.wait(root);
    bell_half.push_back(at(round.times, 0.5));
    bell_last.push_back(round.times.back());
    round.begin(hosts);
    publisher.withdraw("kafka");
    (void)co_await round.all.wait(root);
    loss_last.push_back(round.times.back());
  }
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  std::printf("%zu hosts, %d rounds, ms, medians of the rounds\n", hosts, rounds);
  std::printf("  etcd's own watch      half %6.1f  last %6.1f\n", at(bare_half, 0.5), at(bare_last, 0.5));
  std::printf("  belfry sees the bell  half %6.1f  last %6.1f  (%.2f of etcd's own)\n", at(bell_half, 0.5),
              at(bell_last, 0.5), at(bell_last, 0.5) / at(bare_last, 0.5));
  std::printf("  belfry sees the loss                last %6.1f  (it is looked for before it counts)\n",
              at(loss_last, 0.5));
  std::printf("  memory of all hosts: %ld KiB, %ld each\n", used.ru_maxrss,
              used.ru_maxrss / static_cast<long>(hosts));
  std::fflush(stdout);
  std::_Exit(0);  // a thousand orderly ends are not what is measured
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: belfry_bench_fan_out ENDPOINT [HOSTS] [ROUNDS]\n"), 64;
  rlimit files{.rlim_cur = 65536, .rlim_max = 65536};
  setrlimit(RLIMIT_NOFILE, &files);
  Loop loop;
  Context root(loop);
  WaitGroup tasks(loop, "bench");
  spawn(tasks, "measure",
        measure(loop, root, argv[1], argc > 2 ? std::stoul(argv[2]) : 1000,
                argc > 3 ? std::stoi(argv[3]) : 15));
  loop.run();
}
