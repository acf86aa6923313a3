// What this host says of itself is in etcd for exactly as long as it is so, whatever goes wrong on the way.
#include "daemon/cluster/publisher.hpp"

#include "tests/daemon/cluster/cluster_rig.hpp"

namespace belfry::daemon::cluster {
namespace {

using namespace test;

struct PublisherTest : ::testing::Test {
  void pass(Duration time, Duration step = 100ms) {
    for (Duration gone{0}; gone < time; gone += step) {
      rig.idle();
      rig.loop.advance(step);
    }
    rig.idle();
  }
  [[nodiscard]] const etcd::KeyValue* there(const std::string& host = "a") const {
    const auto found = etcd.keys().find(keys.of_host(KeyKind::publication, "kafka", host));
    return found == etcd.keys().end() ? nullptr : &found->second;
  }
  belfry::test::Rig rig;
  testing::FakeEtcd etcd{rig.loop};
  Host a{rig, etcd, "a", "boot-a"};
};

TEST_F(PublisherTest, a_key_stands_under_the_lease_for_as_long_as_it_is_wanted) {
  a.publisher.publish("kafka", ready());
  rig.idle();
  ASSERT_NE(there(), nullptr);
  EXPECT_EQ(there()->lease, a.publisher.facts().lease);
  pass(120s);
  ASSERT_NE(there(), nullptr) << "the lease is renewed";
  const auto gone = a.publisher.withdraw("kafka");
  rig.idle();
  EXPECT_TRUE(gone->rung());
  EXPECT_EQ(there(), nullptr);
}

TEST_F(PublisherTest, another_run_is_another_generation) {
  a.publisher.publish("kafka", ready(1));
  rig.idle();
  const etcd::Revision first = there()->create_revision;
  a.publisher.publish("kafka", ready(2));
  rig.idle();
  ASSERT_NE(there(), nullptr);
  EXPECT_GT(there()->create_revision, first);
  EXPECT_EQ(read_publication(there()->value)->incarnation, 2U);
}

TEST_F(PublisherTest, a_lost_lease_is_published_again_as_a_new_generation) {
  a.publisher.publish("kafka", ready());
  rig.idle();
  const etcd::Revision first = there()->create_revision;
  etcd.lose_lease(a.publisher.facts().lease);
  EXPECT_EQ(there(), nullptr);
  pass(10s);
  ASSERT_NE(there(), nullptr);
  EXPECT_GT(there()->create_revision, first);
  EXPECT_EQ(a.publisher.facts().leases_lost, 1U);
}

TEST_F(PublisherTest, a_renewal_of_a_lease_that_is_gone_is_found_out) {
  etcd.renews_what_is_gone = true;
  a.publisher.publish("kafka", ready());
  rig.idle();
  etcd.lose_lease(a.publisher.facts().lease);
  pass(15s);
  EXPECT_NE(there(), nullptr);
}

TEST_F(PublisherTest, a_transaction_whose_answer_was_lost_is_not_done_twice) {
  int lost = 0;
  a.store.fate = [&lost](std::string_view call) {
    testing::Fate fate;
    if (call == "txn" && ++lost <= 2) fate.end = testing::Fate::End::lost_after;
    return fate;
  };
  a.publisher.publish("kafka", ready());
  pass(10s);
  ASSERT_NE(there(), nullptr);
  EXPECT_EQ(there()->version, 1);
  EXPECT_EQ(a.publisher.all().front().generation, there()->create_revision);
}

TEST_F(PublisherTest, what_is_wanted_no_more_goes_though_nobody_knows_whether_it_is_there) {
  for (const bool was_done : {false, true}) {
    bool lost = false;
    a.store.fate = [&](std::string_view call) {
      testing::Fate fate;
      if (call == "txn" && !std::exchange(lost, true))
        fate.end = was_done ? testing::Fate::End::lost_after : testing::Fate::End::lost_before;
      return fate;
    };
    a.publisher.publish("kafka", ready());
    rig.idle();
    a.publisher.withdraw("kafka");
    pass(20s);
    EXPECT_EQ(there(), nullptr);
  }
}

TEST_F(PublisherTest, a_withdrawal_does_not_wait_for_an_etcd_that_is_away) {
  a.publisher.publish("kafka", ready());
  rig.idle();
  a.store.cut_off();
  pass(40s);
  ASSERT_TRUE(a.publisher.facts().trouble);
  const auto gone = a.publisher.withdraw("kafka");
  EXPECT_TRUE(gone->ended());
  a.store.heal();
  pass(40s);
  EXPECT_EQ(there(), nullptr);
}

TEST_F(PublisherTest, cut_off_it_does_not_believe_in_its_lease_and_comes_back_as_a_new_generation) {
  a.publisher.publish("kafka", ready());
  rig.idle();
  const etcd::Revision first = there()->create_revision;
  a.store.cut_off();
  pass(40s);
  EXPECT_EQ(there(), nullptr) << "it has run out";
  a.store.heal();
  pass(10s);
  ASSERT_NE(there(), nullptr);
  EXPECT_GT(there()->create_revision, first);
}

TEST_F(PublisherTest, what_a_killed_predecessor_has_left_is_replaced_at_once) {
  a.publisher.publish("kafka", ready());
  rig.idle();
  a.vanish();
  ASSERT_NE(there(), nullptr) << "its lease has not run out yet";
  Host again(rig, etcd, "a", "boot-a2", "boot-a");
  again.publisher.publish("kafka", ready());
  rig.idle();
  ASSERT_NE(there(), nullptr);
  EXPECT_EQ(read_publication(there()->value)->boot_id, "boot-a2");
  EXPECT_TRUE(again.remarks.empty()) << ::testing::PrintToString(again.remarks);
}

TEST_F(PublisherTest, what_an_unknown_one_has_left_is_waited_for_until_its_lease_has_run_out) {
  a.publisher.publish("kafka", ready());
  rig.idle();
  a.vanish();
  ASSERT_NE(there(), nullptr);
  Host again(rig, etcd, "a", "boot-a2");
  again.publisher.publish("kafka", ready());
  rig.idle();
  EXPECT_EQ(read_publication(there()->value)->boot_id, "boot-a");
  pass(20s);
  ASSERT_NE(there(), nullptr);
  EXPECT_EQ(read_publication(there()->value)->boot_id, "boot-a2");
}

TEST_F(PublisherTest, two_living_belfrys_of_one_name_are_an_error_that_names_both) {
  a.publisher.publish("kafka", ready());
  rig.idle();
  Host twin(rig, etcd, "a", "boot-twin");
  twin.publisher.publish("kafka", ready());
  pass(30s);
  EXPECT_EQ(read_publication(there()->value)->boot_id, "boot-a");
  ASSERT_EQ(twin.remarks.size(), 1U) << ::testing::PrintToString(twin.remarks);
  EXPECT_NE(twin.remarks[0].find("cannot publish kafka as host a"), std::string::npos);
  EXPECT_NE(twin.remarks[0].find("boot-a"), std::string::npos);
  EXPECT_NE(twin.remarks[0].find("boot-twin"), std::string::npos);
  a.publisher.withdraw("kafka");
  pass(10s);
  ASSERT_NE(there(), nullptr) << "it is tried again";
  EXPECT_EQ(read_publication(there()->value)->boot_id, "boot-twin");
}

TEST_F(PublisherTest, a_stop_takes_everything_back_at_once) {
  a.publisher.publish("kafka", ready());
  rig.idle();
  a.stop();
  EXPECT_TRUE(etcd.keys().empty());
}

TEST_F(PublisherTest, many_changes_of_one_turn_are_one_transaction) {
  for (int i = 0; i < 50; ++i) a.publisher.publish("s" + std::to_string(i), ready());
  rig.idle();
  EXPECT_EQ(etcd.keys().size(), 50U);
  EXPECT_EQ(a.publisher.facts().txns, 1U);
}

}  // namespace
}  // namespace belfry::daemon::cluster
