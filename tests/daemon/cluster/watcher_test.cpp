// What one host knows of the others: never less than was agreed on after somebody began to wait, and never a
// loss that nobody agrees on.
#include "daemon/cluster/watcher.hpp"

#include "tests/daemon/cluster/cluster_rig.hpp"

namespace belfry::daemon::cluster {
namespace {

using namespace test;
using Names = std::vector<std::string>;

struct WatcherTest : ::testing::Test {
  void pass(Duration time, Duration step = 100ms) {
    for (Duration gone{0}; gone < time; gone += step) {
      rig.idle();
      rig.loop.advance(step);
    }
    rig.idle();
  }
  belfry::test::Rig rig;
  testing::FakeEtcd etcd{rig.loop};
  Host a{rig, etcd, "a", "boot-a"};
  Host b{rig, etcd, "b", "boot-b"};
};

TEST_F(WatcherTest, what_is_published_is_seen_by_whoever_follows_and_by_who_comes_late) {
  const auto early = b.watcher.follow("kafka");
  News news(*early);
  rig.idle();
  EXPECT_TRUE(hosts_of(*early).empty());
  EXPECT_GT(early->known_as_of(), TimePoint::min()) << "that there is none is known, too";
  a.publisher.publish("kafka", ready());
  rig.idle();
  EXPECT_EQ(hosts_of(*early), Names{"a"});
  EXPECT_GE(news.count, 2);
  const auto late = b.watcher.follow("kafka");
  EXPECT_EQ(hosts_of(*late), Names{"a"});
  EXPECT_EQ(late->members().front().outputs.front().second, "x:1");
  EXPECT_GT(late->members().front().generation, 0);
}

TEST_F(WatcherTest, nobody_is_asked_before_somebody_follows) {
  a.publisher.publish("kafka", ready());
  pass(60s);
  EXPECT_EQ(b.watcher.facts().lists, 0U);
}

TEST_F(WatcherTest, a_withdrawal_is_a_loss_once_all_agree_on_it) {
  const auto kafka = b.watcher.follow("kafka");
  a.publisher.publish("kafka", ready());
  rig.idle();
  ASSERT_EQ(hosts_of(*kafka), Names{"a"});
  b.store.fate = [](std::string_view call) {
    return testing::Fate{.there = call == "range" ? Duration(500ms) : Duration(0), .back = {}};
  };
  const auto gone = a.publisher.withdraw("kafka");
  rig.idle();
  EXPECT_TRUE(gone->rung());
  EXPECT_EQ(hosts_of(*kafka), Names{"a"}) << "the event alone is a hint";
  pass(600ms);
  EXPECT_TRUE(hosts_of(*kafka).empty());
}

TEST_F(WatcherTest, an_event_that_never_comes_is_made_good_by_the_next_list) {
  const auto kafka = b.watcher.follow("kafka");
  rig.idle();
  b.store.event_copies = [](const etcd::Event&) { return 0U; };
  a.publisher.publish("kafka", ready());
  rig.idle();
  EXPECT_TRUE(hosts_of(*kafka).empty());
  pass(61s);
  EXPECT_EQ(hosts_of(*kafka), Names{"a"});
}

TEST_F(WatcherTest, doubled_and_late_events_change_nothing_that_is_newer) {
  const auto kafka = b.watcher.follow("kafka");
  rig.idle();
  b.store.event_copies = [](const etcd::Event&) { return 3U; };
  b.store.event_delay = [](const etcd::Event& event) {
    return event.type == etcd::Event::Type::put ? Duration(2s) : Duration(0);
  };
  a.publisher.publish("kafka", ready());
  rig.idle();
  a.publisher.withdraw("kafka");
  pass(10s);
  EXPECT_TRUE(hosts_of(*kafka).empty());
}

TEST_F(WatcherTest, a_look_makes_what_is_known_as_new_as_the_question) {
  const auto kafka = b.watcher.follow("kafka");
  a.publisher.publish("kafka", ready());
  pass(5s);
  const TimePoint before = rig.loop.now();
  EXPECT_LT(kafka->known_as_of(), before);
  kafka->look();
  rig.idle();
  EXPECT_GE(kafka->known_as_of(), before);
  EXPECT_EQ(b.watcher.facts().looks, 1U);
}

TEST_F(WatcherTest, without_etcd_what_was_known_stays_and_gets_no_newer) {
  const auto kafka = b.watcher.follow("kafka");
  a.publisher.publish("kafka", ready());
  rig.idle();
  b.store.cut_off();
  const TimePoint then = kafka->known_as_of();
  a.publisher.withdraw("kafka");
  kafka->look();
  pass(60s);
  EXPECT_EQ(hosts_of(*kafka), Names{"a"}) << "unknown is no loss";
  EXPECT_EQ(kafka->known_as_of(), then) << "and nobody starts by it";
  EXPECT_TRUE(kafka->trouble());
  b.store.heal();
  pass(60s);
  EXPECT_TRUE(hosts_of(*kafka).empty());
  EXPECT_FALSE(kafka->trouble());
}

TEST_F(WatcherTest, a_watch_that_fell_behind_a_compaction_lists_again) {
  const auto kafka = b.watcher.follow("kafka");
  rig.idle();
  b.store.event_delay = [](const etcd::Event&) { return Duration(5s); };
  a.publisher.publish("kafka", ready());
  rig.idle();
  etcd.compact(etcd.revision());
  pass(10s);
  EXPECT_EQ(hosts_of(*kafka), Names{"a"});
}

TEST_F(WatcherTest, a_revision_that_goes_backwards_makes_everything_unknown_until_it_is_read_again) {
  const auto kafka = b.watcher.follow("kafka");
  rig.idle();
  const auto backup = etcd.snapshot();
  a.publisher.publish("kafka", ready());
  rig.idle();
  ASSERT_EQ(hosts_of(*kafka), Names{"a"});
  a.store.cut_off();  // so that it does not publish again
  etcd.restore(*backup);
  pass(60s);
  EXPECT_EQ(b.watcher.facts().backwards, 1U);
  EXPECT_TRUE(hosts_of(*kafka).empty());
  ASSERT_FALSE(b.remarks.empty());
  EXPECT_NE(b.remarks.back().find("the revision of etcd went back from"), std::string::npos)
      << ::testing::PrintToString(b.remarks);
}

TEST_F(WatcherTest, a_key_without_a_lease_and_a_value_of_somebody_else_are_not_believed) {
  const auto kafka = b.watcher.follow("kafka");
  testing::FakeStore stranger(etcd);
  std::optional<Result<etcd::TxnResult>> done;
  const auto put = [&](std::string key, std::string value, etcd::LeaseId lease) -> Task<> {
    etcd::Txn txn;
    txn.then.emplace_back(etcd::Put{std::move(key), std::move(value), lease});
    done.emplace(co_await stranger.txn(rig.root, std::move(txn)));
  };
  rig.go(put(keys.of_host(KeyKind::publication, "kafka", "x"), R"({"boot_id":"b"})", 0));
  rig.go(put(keys.of_host(KeyKind::publication, "kafka", "y"), "garbage", 0));
  pass(61s);
  EXPECT_TRUE(hosts_of(*kafka).empty());
  EXPECT_GE(b.watcher.facts().refused, 2U);
  EXPECT_EQ(b.remarks.size(), 2U) << "each is told of once";
}

TEST_F(WatcherTest, why_a_service_is_not_ready_there_is_known_here) {
  const auto kafka = b.watcher.follow("kafka");
  rig.idle();
  a.publisher.not_ready("kafka", "is backoff: exited with code 3", 7);
  rig.idle();
  EXPECT_EQ(kafka->last_words_of("a"), "is backoff: exited with code 3");
  a.publisher.publish("kafka", ready());
  rig.idle();
  EXPECT_EQ(kafka->last_words_of("a"), "");
}

TEST_F(WatcherTest, who_follows_later_need_not_wait_for_the_next_list) {
  const auto other = b.watcher.follow("zookeeper");
  rig.idle();
  a.publisher.publish("kafka", ready());
  rig.idle();
  const auto kafka = b.watcher.follow("kafka");
  rig.idle();
  EXPECT_GT(kafka->known_as_of(), TimePoint::min());
  EXPECT_EQ(hosts_of(*kafka), Names{"a"});
}

TEST_F(WatcherTest, a_list_that_the_watch_has_overtaken_takes_no_news_back) {
  const auto kafka = b.watcher.follow("kafka");
  rig.idle();
  b.store.fate = [](std::string_view call) {
    return testing::Fate{.there = {}, .back = call == "range" ? Duration(2s) : Duration(0)};
  };
  kafka->look();
  rig.idle();  // it is answered, and the answer is on its way
  a.publisher.publish("kafka", ready());
  rig.idle();
  ASSERT_EQ(hosts_of(*kafka), Names{"a"});
  pass(3s);
  EXPECT_EQ(hosts_of(*kafka), Names{"a"});
  EXPECT_EQ(b.watcher.facts().backwards, 0U);
}

TEST_F(WatcherTest, a_value_that_somebody_has_spoilt_is_no_loss) {
  const auto kafka = b.watcher.follow("kafka");
  a.publisher.publish("kafka", ready());
  rig.idle();
  testing::FakeStore stranger(etcd);
  std::optional<Result<etcd::TxnResult>> done;
  const auto put = [&]() -> Task<> {
    etcd::Txn txn;
    txn.then.emplace_back(
        etcd::Put{keys.of_host(KeyKind::publication, "kafka", "a"), "spoilt", a.publisher.facts().lease});
    done.emplace(co_await stranger.txn(rig.root, std::move(txn)));
  };
  rig.go(put());
  rig.idle();
  EXPECT_EQ(hosts_of(*kafka), Names{"a"});
  pass(61s);
  EXPECT_EQ(hosts_of(*kafka), Names{"a"}) << "and its host puts it right";
  EXPECT_EQ(read_publication(etcd.keys().at(keys.of_host(KeyKind::publication, "kafka", "a")).value)->boot_id,
            "boot-a");
}

TEST_F(WatcherTest, the_end_of_what_it_never_knew_is_no_news) {
  const auto kafka = b.watcher.follow("kafka");
  b.store.event_copies = [](const etcd::Event& event) {
    return event.type == etcd::Event::Type::put ? 0U : 2U;
  };
  rig.idle();
  a.publisher.not_ready("kafka", "is backoff", 7);
  rig.idle();
  a.publisher.not_ready("kafka", "", 8);
  a.publisher.publish("kafka", ready());
  rig.idle();
  a.publisher.withdraw("kafka");
  rig.idle();
  EXPECT_TRUE(hosts_of(*kafka).empty());
}

TEST_F(WatcherTest, the_lag_of_the_watch_grows_while_it_does_not_tell_of_what_this_host_has_put) {
  b.publisher.on_put = [this](etcd::Revision revision) { b.watcher.expect(revision); };
  const auto kafka = b.watcher.follow("kafka");
  rig.idle();
  b.store.event_delay = [](const etcd::Event&) { return Duration(3s); };
  b.publisher.publish("kafka", ready());
  rig.idle();
  EXPECT_EQ(b.watcher.lag(), Duration::zero());
  pass(2s);
  EXPECT_GE(b.watcher.lag(), Duration(1900ms));
  pass(10s);
  EXPECT_GE(b.watcher.lag(), Duration(2900ms));
  EXPECT_LE(b.watcher.lag(), Duration(3200ms)) << "and stays what it was";
}

TEST_F(WatcherTest, what_the_watch_has_missed_is_counted_by_the_next_list) {
  const auto kafka = b.watcher.follow("kafka");
  rig.idle();
  b.store.event_copies = [](const etcd::Event&) { return 0U; };
  a.publisher.publish("kafka", ready());
  pass(1s);
  EXPECT_EQ(b.watcher.facts().missed, 0U);
  pass(70s, 500ms);
  EXPECT_EQ(hosts_of(*kafka), Names{"a"});
  EXPECT_EQ(b.watcher.facts().missed, 1U);
}

}  // namespace
}  // namespace belfry::daemon::cluster
