// Of those who want to take their part of a service down, only so many do at once, whatever goes wrong.
#include "daemon/cluster/reservations.hpp"

#include "tests/daemon/cluster/cluster_rig.hpp"

namespace belfry::daemon::cluster {
namespace {

using namespace test;

struct ReservationsTest : ::testing::Test {
  void SetUp() override {
    for (Host* host : {&a, &b, &c}) host->publisher.publish("kafka", ready());
    rig.idle();
  }
  void pass(Duration time, Duration step = 100ms) {
    for (Duration gone{0}; gone < time; gone += step) {
      rig.idle();
      rig.loop.advance(step);
    }
    rig.idle();
  }
  // A wait for leave, and what became of it.
  struct Asking {
    explicit Asking(Loop& loop) : patience(loop) {}
    Context patience;
    std::optional<Result<void>> answer;
    [[nodiscard]] bool is_given() const { return answer && *answer; }
  };
  static Task<> ask(Host& host, Asking& asking, std::vector<Demand> demands) {
    asking.answer = co_await host.reservations.reserve(asking.patience, std::move(demands));
  }
  std::unique_ptr<Asking> asks(Host& host, Demand demand = {.service = "kafka", .most = 1, .hosts = {}}) {
    auto asking = std::make_unique<Asking>(rig.loop);
    rig.go(ask(host, *asking, {std::move(demand)}));
    rig.idle();
    return asking;
  }
  [[nodiscard]] std::vector<std::string> who_has_leave() const {
    std::vector<std::string> hosts;
    for (const auto& [key, value] : etcd.keys()) {
      const auto parts = keys.parse(key);
      if (parts && parts->kind == KeyKind::reservation) hosts.emplace_back(parts->host);
    }
    return hosts;
  }
  // It is ready again, in its next run.
  void is_back(Host& host) {
    host.publisher.publish("kafka", ready(2));
    host.publisher.give_back("kafka");
    rig.idle();
  }

  belfry::test::Rig rig;
  testing::FakeEtcd etcd{rig.loop};
  Host a{rig, etcd, "a", "boot-a"}, b{rig, etcd, "b", "boot-b"}, c{rig, etcd, "c", "boot-c"};
  using Hosts = std::vector<std::string>;
};

TEST_F(ReservationsTest, one_goes_and_the_next_goes_when_it_is_back) {
  const auto first = asks(a);
  EXPECT_TRUE(first->is_given());
  const auto second = asks(b);
  EXPECT_FALSE(second->answer);
  EXPECT_EQ(b.remarks, Hosts{"kafka: no more than 1 may be without it, and a (restarts it) is"});
  EXPECT_EQ(b.reservations.waits().at("kafka"), "no more than 1 may be without it, and a (restarts it) is");
  (void)a.publisher.withdraw("kafka");
  pass(100s);
  EXPECT_FALSE(second->answer) << "however long it takes";
  is_back(a);
  EXPECT_TRUE(second->is_given());
  EXPECT_EQ(who_has_leave(), Hosts{"b"});
  EXPECT_TRUE(b.reservations.waits().empty());
}

TEST_F(ReservationsTest, of_those_who_ask_in_one_moment_only_as_many_go_as_may) {
  for (Host* host : {&a, &b, &c})
    host->store.fate = [](std::string_view) { return testing::Fate{.there = 10ms, .back = 10ms}; };
  std::vector<std::unique_ptr<Asking>> all;
  for (Host* host : {&a, &b, &c}) all.push_back(asks(*host, {.service = "kafka", .most = 2, .hosts = {}}));
  pass(20s);
  EXPECT_EQ(std::ranges::count_if(all, [](const auto& one) { return one->is_given(); }), 2);
  EXPECT_EQ(who_has_leave().size(), 2U);
  for (Host* host : {&a, &b, &c}) host->reservations.end();
  rig.idle();
}

TEST_F(ReservationsTest, who_is_not_ready_for_another_reason_counts) {
  (void)b.publisher.withdraw("kafka");
  b.publisher.not_ready("kafka", "has failed: exited with code 1", 5);
  rig.idle();
  const auto asking = asks(a);
  EXPECT_FALSE(asking->answer);
  EXPECT_EQ(a.remarks.back(),
            "kafka: no more than 1 may be without it, and b (has failed: exited with code 1) is");
  b.publisher.not_ready("kafka", {}, 0);
  b.publisher.publish("kafka", ready(2));
  rig.idle();
  EXPECT_TRUE(asking->is_given());
}

TEST_F(ReservationsTest, a_host_that_should_have_it_and_says_nothing_counts) {
  const auto asking = asks(a, {.service = "kafka", .most = 1, .hosts = {"a", "b", "c", "d"}});
  EXPECT_FALSE(asking->answer);
  EXPECT_EQ(a.remarks.back(), "kafka: no more than 1 may be without it, and d (has not published it) is");
  Host d{rig, etcd, "d", "boot-d"};
  d.publisher.publish("kafka", ready());
  rig.idle();
  EXPECT_TRUE(asking->is_given());
}

TEST_F(ReservationsTest, the_leave_of_a_host_that_dies_goes_with_its_lease) {
  ASSERT_TRUE(asks(a)->is_given());
  const auto asking = asks(b);
  a.vanish();
  pass(5s);
  EXPECT_FALSE(asking->answer) << "nobody knows yet";
  pass(60s);
  EXPECT_TRUE(asking->is_given());
}

TEST_F(ReservationsTest, whoever_stops_waiting_has_reserved_nothing) {
  ASSERT_TRUE(asks(a)->is_given());
  const auto asking = asks(b);
  asking->patience.cancel(Error::cancelled());
  rig.idle();
  ASSERT_TRUE(asking->answer);
  EXPECT_FALSE(*asking->answer);
  is_back(a);
  EXPECT_TRUE(who_has_leave().empty());
}

TEST_F(ReservationsTest, a_transaction_whose_answer_was_lost_is_recognised) {
  int txns = 0;
  a.store.fate = [&txns](std::string_view call) {
    testing::Fate fate;
    if (call == "txn" && ++txns == 1) fate.end = testing::Fate::End::lost_after;
    return fate;
  };
  const auto asking = asks(a);
  EXPECT_FALSE(asking->answer);
  pass(3s);
  EXPECT_TRUE(asking->is_given());
  EXPECT_EQ(txns, 1) << "it is not put twice";
  is_back(a);
  EXPECT_TRUE(who_has_leave().empty());
}

TEST_F(ReservationsTest, one_that_was_given_up_while_nobody_knew_is_taken_away) {
  a.store.fate = [&](std::string_view call) {
    testing::Fate fate;
    if (call == "txn") fate.end = testing::Fate::End::lost_after;
    return fate;
  };
  const auto asking = asks(a);
  EXPECT_EQ(who_has_leave(), Hosts{"a"});
  asking->patience.cancel(Error::cancelled());
  a.store.fate = {};
  pass(10s);
  EXPECT_TRUE(who_has_leave().empty());
}

TEST_F(ReservationsTest, without_etcd_nobody_goes_and_it_says_so) {
  b.store.cut_off();
  const auto asking = asks(b);
  pass(60s);
  EXPECT_FALSE(asking->answer);
  EXPECT_FALSE(b.reservations.waits().at("kafka").empty());
  b.store.heal();
  pass(60s);
  EXPECT_TRUE(asking->is_given());
}

TEST_F(ReservationsTest, what_is_down_meanwhile_needs_no_leave_any_more) {
  ASSERT_TRUE(asks(a)->is_given());
  const auto asking = asks(b);
  EXPECT_FALSE(asking->answer);
  b.reservations.is_down("kafka");
  rig.idle();
  EXPECT_TRUE(asking->is_given());
  EXPECT_TRUE(b.reservations.waits().empty());
  pass(5s);
  EXPECT_EQ(who_has_leave(), Hosts{"a"});
}

TEST_F(ReservationsTest, a_belfry_that_goes_down_waits_for_nobody) {
  ASSERT_TRUE(asks(a)->is_given());
  const auto asking = asks(b);
  b.reservations.end();
  rig.idle();
  ASSERT_TRUE(asking->answer);
  EXPECT_EQ(asking->answer->error().text(), "this belfry is shutting down");
}

TEST_F(ReservationsTest, several_are_reserved_at_one_moment_so_that_two_never_wait_for_each_other) {
  for (Host* host : {&a, &b}) host->publisher.publish("zookeeper", ready());
  rig.idle();
  const auto demand = [](const char* service) { return Demand{.service = service, .most = 1, .hosts = {}}; };
  Asking of_a(rig.loop), of_b(rig.loop);
  rig.go(ask(a, of_a, {demand("kafka"), demand("zookeeper")}));
  rig.go(ask(b, of_b, {demand("zookeeper"), demand("kafka")}));
  pass(20s);
  EXPECT_NE(of_a.is_given(), of_b.is_given());
  Host& first = of_a.is_given() ? a : b;
  first.publisher.give_back("kafka");
  pass(1s);
  EXPECT_NE(of_a.is_given(), of_b.is_given()) << "half of it is not enough";
  first.publisher.give_back("zookeeper");
  pass(20s);
  EXPECT_TRUE(of_a.is_given() && of_b.is_given());
}

}  // namespace
}  // namespace belfry::daemon::cluster
