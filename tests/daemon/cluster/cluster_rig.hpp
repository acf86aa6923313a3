// Several hosts around one etcd of the test's own, on a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "daemon/cluster/publisher.hpp"
#include "daemon/cluster/reservations.hpp"
#include "daemon/cluster/watcher.hpp"
#include "tests/channels/rig.hpp"
#include "tests/support/fake_store.hpp"

namespace belfry::daemon::cluster::test {

using namespace std::chrono_literals;

inline const Keys keys("shop");

// Owner: the test. Lifecycle: made and stopped with the loop's clock running.
class Host {
 public:
  Host(belfry::test::Rig& rig, testing::FakeEtcd& etcd, const std::string& name, const std::string& boot_id,
       const std::string& predecessor = {})
      : rig_(rig),
        store(etcd),
        generator_(std::hash<std::string>()(boot_id)),
        publisher(rig.root, store, keys,
                  {.host = name,
                   .boot_id = boot_id,
                   .predecessor = predecessor,
                   .ttl = 10s,
                   .since_boot = [&rig] { return rig.loop.now().time_since_epoch(); }},
                  chance()),
        reservations(store, keys, publisher, name, chance()),
        watcher(rig.root, store, keys, chance()) {
    reservations.on_wait = [this](const std::string& service, const std::string& text) {
      remarks.push_back(service + ": " + text);
    };
    publisher.on_remark = [this](const std::string& about, const std::string& text) {
      remarks.push_back(about + ": " + text);
    };
    watcher.on_remark = [this](const std::string& text) { remarks.push_back(text); };
    publisher.start();
    watcher.start();
  }
  // As after kill -9: nobody hears of it.
  void vanish() {
    store.cut_off();
    stop();
  }
  void stop() {
    if (std::exchange(stopped_, true)) return;
    reservations.end();
    rig_.go(stop_both());
    rig_.idle();
    for (int i = 0; i < 20 && !is_over_; ++i) {
      rig_.loop.advance(200ms);
      rig_.idle();
    }
    EXPECT_TRUE(is_over_);
  }
  ~Host() { stop(); }

 private:
  belfry::test::Rig& rig_;

 public:
  testing::FakeStore store;

 private:
  etcd::Random chance() {
    return [this] { return std::uniform_real_distribution<double>()(generator_); };
  }
  Task<> stop_both() {
    Context patience(rig_.loop);
    (void)co_await watcher.stop(patience);
    (void)co_await publisher.stop(patience);
    is_over_ = true;
  }
  std::mt19937_64 generator_;
  bool stopped_ = false;
  bool is_over_ = false;

 public:
  std::vector<std::string> remarks;
  Publisher publisher;
  Reservations reservations;
  Watcher watcher;
};

// Counts what it is told.
class News final : public probes::NewsListener {
 public:
  explicit News(probes::RemoteService& of) : of_(of) { of_.tell(this); }
  ~News() { of_.tell(nullptr); }
  void on_news() override { ++count; }
  int count = 0;

 private:
  probes::RemoteService& of_;
};

[[nodiscard]] inline std::vector<std::string> hosts_of(const probes::RemoteService& service) {
  std::vector<std::string> hosts;
  for (const probes::RemoteMember& member : service.members()) hosts.push_back(member.host);
  return hosts;
}

[[nodiscard]] inline Publication ready(std::uint64_t incarnation = 1) {
  return {
      .boot_id = {}, .incarnation = incarnation, .since_ms = 5, .outputs = {{"ADDRESS", "x:1"}}, .words = {}};
}

}  // namespace belfry::daemon::cluster::test
