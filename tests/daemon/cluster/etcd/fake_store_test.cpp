// The etcd of the simulation: what it promises, as the real one does (real_etcd_test.cpp), and each bad
// habit.
#include "tests/support/fake_store.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "channels/spawn.hpp"
#include "tests/channels/rig.hpp"

namespace belfry::testing {
namespace {

using namespace std::chrono_literals;
using etcd::Compare;
using etcd::Event;

etcd::Txn make_if_absent(const std::string& key, const std::string& value, etcd::LeaseId lease = 0) {
  etcd::Txn txn;
  txn.when.push_back({.key = key, .what = Compare::What::create_revision, .number = 0, .text = {}});
  txn.then.emplace_back(etcd::Put{.key = key, .value = value, .lease = lease});
  txn.otherwise.emplace_back(etcd::Get{.key = key});
  return txn;
}

template <class T>
Task<> keep(Task<T> task, std::optional<T>& into) {
  into.emplace(co_await std::move(task));
}

struct FakeStoreTest : ::testing::Test {
  test::Rig rig;
  FakeEtcd cluster{rig.loop};
  FakeStore store{cluster};

  // What it comes to when the clock stands still: nothing, while it waits.
  template <class T>
  std::optional<T> now(Task<T> task) {
    auto into = std::make_shared<std::optional<T>>();
    kept_.push_back(into);
    rig.go(keep(std::move(task), *into));
    rig.idle();
    return *into;
  }
  Result<std::unique_ptr<etcd::Watch>> watch(etcd::Revision from) {
    std::optional<Result<std::unique_ptr<etcd::Watch>>> into;
    rig.go(keep(store.watch(rig.root, "a/", from), into));
    rig.idle();
    return std::move(*into);
  }
  etcd::TxnResult make(const std::string& key, etcd::LeaseId lease = 0) {
    return **now(store.txn(rig.root, make_if_absent(key, "one", lease)));
  }
  std::vector<std::shared_ptr<void>> kept_;
};

TEST_F(FakeStoreTest, a_key_is_made_once_and_has_the_revision_of_its_making) {
  const auto made = make("a/1");
  EXPECT_TRUE(made.held);
  const auto again = make("a/1");
  EXPECT_FALSE(again.held);
  EXPECT_EQ(again.done.at(0).found.at(0).create_revision, made.revision);
  EXPECT_EQ(again.revision, made.revision) << "nothing was changed";
  EXPECT_EQ((*now(store.range(rig.root, "a/")))->keys.size(), 1U);
  EXPECT_TRUE((*now(store.range(rig.root, "b/")))->keys.empty());
}

TEST_F(FakeStoreTest, a_lease_takes_its_keys_with_it_unless_it_is_renewed) {
  const etcd::Lease lease = **now(store.grant(rig.root, 10s));
  make("a/1", lease.id);
  rig.loop.advance(9s);
  EXPECT_EQ(**now(store.keep_alive(rig.root, lease.id)), 10s);
  rig.loop.advance(9s);
  EXPECT_EQ(cluster.keys().size(), 1U);
  rig.loop.advance(1s);
  EXPECT_TRUE(cluster.keys().empty());
  EXPECT_EQ(**now(store.keep_alive(rig.root, lease.id)), 0s);
  EXPECT_TRUE(make("a/1", lease.id).lease_lost);
}

TEST_F(FakeStoreTest, a_lease_may_live_too_long_and_a_renewal_be_told_of_one_that_is_gone) {
  cluster.lease_overtime = 30s;
  const etcd::Lease lease = **now(store.grant(rig.root, 10s));
  make("a/1", lease.id);
  rig.loop.advance(39s);
  EXPECT_EQ(cluster.keys().size(), 1U);
  cluster.renews_what_is_gone = true;
  cluster.lose_lease(lease.id);
  EXPECT_TRUE(cluster.keys().empty());
  EXPECT_EQ(**now(store.keep_alive(rig.root, lease.id)), 10s);
}

TEST_F(FakeStoreTest, a_watch_hears_late_twice_or_not_at_all) {
  store.event_delay = [](const Event& event) { return event.key_value.key == "a/late" ? 5s : 0s; };
  store.event_copies = [](const Event& event) {
    return event.key_value.key == "a/twice" ? 2U : event.key_value.key == "a/never" ? 0U : 1U;
  };
  auto watch = *this->watch(1);
  make("a/twice");
  EXPECT_EQ((*now(watch->next(rig.root)))->events.size(), 2U);
  make("a/never");
  EXPECT_TRUE((*now(watch->next(rig.root)))->events.empty());
  make("a/late");
  std::optional<Result<etcd::WatchNews>> late;
  rig.go(keep(watch->next(rig.root), late));
  rig.loop.advance(4s);
  EXPECT_FALSE(late);
  rig.loop.advance(1s);
  ASSERT_TRUE(late && *late);
  EXPECT_EQ((*late)->events.at(0).key_value.key, "a/late");
}

TEST_F(FakeStoreTest, a_compaction_ends_a_watch_that_has_not_seen_it) {
  auto watch = *this->watch(1);
  make("a/1");
  make("a/2");
  cluster.compact(cluster.revision());
  EXPECT_EQ((*now(watch->next(rig.root)))->compacted, cluster.revision());
  EXPECT_FALSE(*now(watch->next(rig.root)));
}

TEST_F(FakeStoreTest, an_answer_may_be_lost_before_or_after_it_was_true) {
  store.fate = [](std::string_view) { return Fate{.end = Fate::End::lost_before}; };
  EXPECT_EQ((*now(store.txn(rig.root, make_if_absent("a/1", "one")))).error().kind(), Error::Kind::closed);
  EXPECT_TRUE(cluster.keys().empty());
  store.fate = [](std::string_view) { return Fate{.end = Fate::End::lost_after}; };
  EXPECT_EQ((*now(store.txn(rig.root, make_if_absent("a/1", "one")))).error().kind(), Error::Kind::closed);
  EXPECT_EQ(cluster.keys().size(), 1U);
}

TEST_F(FakeStoreTest, who_is_cut_off_waits_until_it_is_healed_or_his_patience_ends) {
  auto watch = *this->watch(1);
  store.cut_off();
  std::optional<Result<etcd::Range>> listed;
  std::optional<Result<etcd::WatchNews>> news;
  Context impatient = within(rig.root, 2s);
  std::optional<Result<etcd::Range>> given_up;
  rig.go(keep(store.range(rig.root, "a/"), listed));
  rig.go(keep(store.range(impatient, "a/"), given_up));
  FakeStore other(cluster);
  ASSERT_TRUE(*now(other.txn(rig.root, make_if_absent("a/1", "one"))));
  rig.go(keep(watch->next(rig.root), news));
  rig.loop.advance(10s);
  EXPECT_FALSE(listed);
  EXPECT_FALSE(news);
  ASSERT_TRUE(given_up && !*given_up);
  EXPECT_EQ(given_up->error().kind(), Error::Kind::deadline_exceeded);
  store.heal();
  rig.idle();
  ASSERT_TRUE(listed && *listed && news && *news);
  EXPECT_EQ((*listed)->keys.size(), 1U);
  EXPECT_EQ((*news)->events.size(), 1U);
}

TEST_F(FakeStoreTest, a_revision_may_go_backwards_and_breaks_off_watches) {
  make("a/1");
  const auto before = cluster.snapshot();
  auto watch = *this->watch(cluster.revision() + 1);
  const auto later = make("a/2");
  std::optional<Result<etcd::WatchNews>> news;
  ASSERT_TRUE(*now(watch->next(rig.root)));
  rig.go(keep(watch->next(rig.root), news));
  cluster.restore(*before);
  rig.idle();
  ASSERT_TRUE(news && !*news);
  EXPECT_LT(cluster.revision(), later.revision);
  EXPECT_EQ(cluster.keys().size(), 1U);
  EXPECT_EQ(make("a/3").revision, later.revision) << "which says something else now";
}

}  // namespace
}  // namespace belfry::testing
