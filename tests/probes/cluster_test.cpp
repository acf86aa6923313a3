// The `cluster` probe: when it is true, as of when that is known, and what it says.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>

#include "config/model/output_reference.hpp"
#include "probes/kinds.hpp"
#include "probes/remote_services.hpp"
#include "tests/channels/rig.hpp"
#include "tests/support/fake_probes.hpp"

namespace belfry::probes {
namespace {

using namespace std::chrono_literals;
using Outputs = std::vector<std::pair<std::string, std::string>>;

// What others have published, as the test says.
struct FakeOthers final : RemoteServices {
  struct Service final : RemoteService {
    explicit Service(FakeOthers& all) : all_(all) {}
    std::vector<RemoteMember> members() const override { return all_.there; }
    TimePoint known_as_of() const override { return all_.as_of; }
    Error trouble() const override { return all_.trouble; }
    std::string last_words_of(std::string_view host) const override {
      const auto found = all_.words.find(host);
      return found == all_.words.end() ? std::string() : found->second;
    }
    void look() override { ++all_.looks; }
    void tell(NewsListener*) override {}

   private:
    FakeOthers& all_;
  };
  std::unique_ptr<RemoteService> follow(std::string_view) override {
    return std::make_unique<Service>(*this);
  }
  void is_ready(const std::string& host, std::int64_t generation) {
    there.push_back({.host = host, .generation = generation, .outputs = {{"ADDRESS", host + ":1"}}});
  }
  std::vector<RemoteMember> there;
  TimePoint as_of = TimePoint::min();
  Error trouble;
  std::map<std::string, std::string, std::less<>> words;
  int looks = 0;
};

struct ClusterProbeTest : ::testing::Test, Publisher {
  void publish(std::string_view, std::string_view) override {}
  void publish_anew(Outputs all) override { outputs = std::move(all); }
  std::string output(std::string_view key) const {
    for (const auto& [name, value] : outputs)
      if (name == key) return value;
    return "none";
  }
  // What a check says; empty: true.
  std::string check() {
    if (probe == nullptr) {
      ProbeContext about{.service = "quorum", .tree = {}};
      about.publisher = this;
      probe = std::move(*make_cluster(others, asked, spec, about));
    }
    std::optional<CheckResult> result;
    rig.go(keep(rig.root, result));
    rig.idle();
    for (int i = 0; i < 10 && !result; ++i) rig.loop.advance(1s), rig.idle();
    return !result ? "no answer" : *result ? "" : result->error().text();
  }
  Task<> keep(Context& parent, std::optional<CheckResult>& into) {
    Context soon = within(parent, 2s);
    into = co_await probe->check(soon);
  }
  config::ClusterExpectation& wanted() {
    if (!spec.cluster) spec.cluster = std::make_unique<config::ClusterExpectation>();
    return *spec.cluster;
  }
  void of(std::vector<std::string> hosts, std::uint32_t require) {
    spec.kind = config::Probe::Kind::cluster;
    spec.target = "kafka";
    wanted().hosts = std::move(hosts);
    wanted().require = require;
    others.as_of = rig.loop.now();
  }
  // A host answers unless it is in `silent`.
  void confirmed_by_tcp() {
    config::Probe question;
    question.kind = config::Probe::Kind::tcp;
    question.target = config::reference_to({.service = config::of_that_host, .key = "ADDRESS"});
    wanted().confirm = question;
    asked.answer = [this](const std::string&, const config::Probe& one) {
      ++questions;
      return testing::ProbeAnswer{.yes = !silent.contains(one.target), .takes = {}};
    };
  }

  belfry::test::Rig rig;
  FakeOthers others;
  testing::FakeProbes asked;
  config::Probe spec;
  std::unique_ptr<Probe> probe;
  Outputs outputs;
  std::set<std::string> silent;
  int questions = 0;
};

TEST_F(ClusterProbeTest, is_true_when_as_many_of_the_named_hosts_are_ready) {
  of({"a", "b", "c"}, 2);
  others.is_ready("a", 5);
  others.is_ready("x", 6);
  EXPECT_EQ(check(), "kafka is ready on 1 host of the 2 that it takes: a; not on b, c");
  others.is_ready("c", 7);
  EXPECT_EQ(check(), "");
  EXPECT_EQ(probe->known_as_of(), others.as_of);
}

TEST_F(ClusterProbeTest, says_what_the_missing_host_says_of_itself) {
  of({"a"}, 1);
  others.words["a"] = "is failed: exited with code 3";
  EXPECT_EQ(check(), "kafka is ready on no host: not on a (is failed: exited with code 3)");
}

TEST_F(ClusterProbeTest, knows_nothing_before_anybody_has_answered) {
  of({"a"}, 1);
  others.as_of = TimePoint::min();
  others.trouble = Error::failed("no member of etcd can be used");
  EXPECT_EQ(check(), "cannot tell yet on which hosts kafka is ready: no member of etcd can be used");
}

TEST_F(ClusterProbeTest, what_was_true_stays_so_when_nobody_can_be_asked_any_more) {
  of({"a"}, 1);
  others.is_ready("a", 5);
  ASSERT_EQ(check(), "");
  const TimePoint then = probe->known_as_of();
  others.as_of = TimePoint::min();  // as after a revision that went backwards
  EXPECT_EQ(check(), "");
  EXPECT_EQ(probe->known_as_of(), then);
}

TEST_F(ClusterProbeTest, carries_the_outputs_of_all_hosts_and_of_each) {
  of({"a", "b"}, 2);
  others.is_ready("a", 5);
  others.is_ready("b", 9);
  ASSERT_EQ(check(), "");
  EXPECT_EQ(output("ADDRESS"), "a:1");
  EXPECT_EQ(output("ADDRESSES"), "a:1,b:1");
  EXPECT_EQ(output("b.ADDRESS"), "b:1");
  EXPECT_EQ(output("HOSTS"), "a,b");
  EXPECT_EQ(output("FENCE"), "9");
}

TEST_F(ClusterProbeTest, what_a_service_publishes_never_takes_the_place_of_the_fence) {
  of({"a"}, 1);
  others.there.push_back(
      {.host = "a", .generation = 5, .outputs = {{"FENCE", "99"}, {"HOST", "h"}, {"HOSTS", "x"}}});
  ASSERT_EQ(check(), "");
  EXPECT_EQ(output("FENCE"), "5");
  EXPECT_EQ(output("HOSTS"), "a");
}

TEST_F(ClusterProbeTest, the_fence_does_not_change_with_whom_the_quorum_can_spare) {
  of({"a", "b", "c"}, 2);
  others.is_ready("a", 5);
  others.is_ready("b", 6);
  ASSERT_EQ(check(), "");
  others.is_ready("c", 20);
  ASSERT_EQ(check(), "");
  EXPECT_EQ(output("FENCE"), "6");
  EXPECT_EQ(output("HOSTS"), "a,b,c");
  std::erase_if(others.there, [](const RemoteMember& one) { return one.host == "a"; });
  ASSERT_EQ(check(), "");
  EXPECT_EQ(output("FENCE"), "20");
}

TEST_F(ClusterProbeTest, where_all_are_needed_another_generation_is_a_loss_that_nobody_has_told_of) {
  of({"a"}, 1);
  others.is_ready("a", 5);
  ASSERT_EQ(check(), "");
  others.there.front().generation = 8;
  EXPECT_EQ(check(), "kafka has begun anew on a host that it takes");
  EXPECT_EQ(check(), "");
}

TEST_F(ClusterProbeTest, a_host_that_is_dead_and_still_published_does_not_ring) {
  of({"a"}, 1);
  confirmed_by_tcp();
  silent = {"a:1"};
  others.is_ready("a", 5);
  EXPECT_EQ(
      check(),
      "kafka says that it is ready, and is confirmed on no host; a: cannot connect: Connection refused");
  EXPECT_FALSE(probe->is_told()) << "it is asked again by its period";
  silent.clear();
  EXPECT_EQ(check(), "");
}

TEST_F(ClusterProbeTest, a_confirmation_that_fails_later_takes_nothing_away_and_lets_nobody_start) {
  of({"a", "b"}, 1);
  confirmed_by_tcp();
  others.is_ready("a", 5);
  others.is_ready("b", 6);
  ASSERT_EQ(check(), "");
  const TimePoint then = probe->known_as_of();
  const Outputs before = outputs;
  silent = {"a:1", "b:1"};
  rig.loop.advance(5s);
  others.as_of = rig.loop.now();
  probe->look_afresh();
  EXPECT_EQ(others.looks, 1);
  EXPECT_EQ(check(), "");
  EXPECT_EQ(probe->known_as_of(), then);
  EXPECT_EQ(outputs, before);
  silent = {"a:1"};
  EXPECT_EQ(check(), "");
  EXPECT_GT(probe->known_as_of(), then);
  EXPECT_EQ(outputs, before) << "a is there, and does not answer for a moment";
}

TEST_F(ClusterProbeTest, a_host_that_goes_while_it_is_confirmed_does_not_count) {
  of({"a"}, 1);
  confirmed_by_tcp();
  others.is_ready("a", 5);
  asked.answer = [this](const std::string&, const config::Probe&) {
    others.there.clear();
    return testing::ProbeAnswer{};
  };
  EXPECT_EQ(check(), "kafka is ready on no host: not on a");
}

TEST_F(ClusterProbeTest, news_of_one_host_does_not_ask_the_others_again) {
  of({}, 1);
  confirmed_by_tcp();
  others.is_ready("a", 5);
  ASSERT_EQ(check(), "");
  EXPECT_EQ(questions, 1);
  others.is_ready("b", 6);
  ASSERT_EQ(check(), "");
  EXPECT_EQ(questions, 2);
}

}  // namespace
}  // namespace belfry::probes
