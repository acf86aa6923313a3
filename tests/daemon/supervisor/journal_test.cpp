// What the supervisor writes down while services live.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using daemon::EventKind;
using daemon::JournalEvent;
using daemon::Sequence;

struct JournalOfStack : Rig {
  std::vector<JournalEvent> events(std::string_view service, EventKind kind = EventKind::state) {
    std::vector<JournalEvent> found;
    const daemon::Journal& journal = supervisor->journal();
    for (Sequence n = journal.first(); n < journal.next(); ++n) {
      const JournalEvent event = journal.at(n);
      if (event.service == service && event.kind == kind) found.push_back(event);
    }
    return found;
  }
  std::vector<std::string> states(std::string_view service) {
    std::vector<std::string> names;
    for (const JournalEvent& event : events(service)) names.emplace_back(name_of(event.to));
    return names;
  }
};

TEST_F(JournalOfStack, every_state_is_written_down_in_its_order_with_where_it_came_from) {
  daemon("db");
  daemon("api", {"db"});
  up();
  down();
  EXPECT_EQ(states("api"),
            (std::vector<std::string>{"waiting", "starting", "ready", "stopping", "inactive"}));
  const auto of_db = events("db");
  for (std::size_t i = 1; i < of_db.size(); ++i) EXPECT_EQ(of_db[i].from, of_db[i - 1].to);
  Sequence db_ready = 0, api_starting = 0;
  for (const JournalEvent& event : of_db)
    if (event.to == State::ready) db_ready = event.sequence;
  for (const JournalEvent& event : events("api"))
    if (event.to == State::starting) api_starting = event.sequence;
  EXPECT_LT(db_ready, api_starting);
}

TEST_F(JournalOfStack, a_run_is_named_from_its_start_on) {
  daemon("db");
  up();
  end("db", 1);
  advance(1s);
  std::vector<std::uint32_t> runs;
  for (const JournalEvent& event : events("db")) runs.push_back(event.incarnation);
  // waiting, starting, ready, stopping, backoff, waiting, starting, ready
  EXPECT_EQ(runs, (std::vector<std::uint32_t>{0, 1, 1, 1, 1, 1, 2, 2}));
}

TEST_F(JournalOfStack, the_datagram_that_made_it_ready_has_a_sender) {
  speaking(daemon("db"));
  up();
  service("db").said({.sender = 4711, .ready = true});
  loop.run_until_idle();
  const JournalEvent ready = events("db").back();
  EXPECT_EQ(ready.to, State::ready);
  EXPECT_EQ(ready.evidence.probe, config::Probe::Kind::notify);
  EXPECT_EQ(ready.evidence.pid, 4711);
}

TEST_F(JournalOfStack, the_line_that_made_it_ready_is_kept) {
  config::Service& spec = daemon("db");
  spec.ready.probes.push_back(a_probe(config::Probe::Kind::notify));
  spec.ready.probes.push_back(a_probe(config::Probe::Kind::log));
  up();
  service("db").said({.sender = 1, .ready = true});
  service("db").heard({.kind = config::Probe::Kind::log, .words = "listening on 5432"});
  loop.run_until_idle();
  const JournalEvent ready = events("db").back();
  EXPECT_EQ(ready.to, State::ready);
  EXPECT_EQ(ready.evidence.probe, config::Probe::Kind::log);
  EXPECT_EQ(ready.evidence.place, 1);
  EXPECT_EQ(ready.evidence.words, "listening on 5432");
}

TEST_F(JournalOfStack, what_it_publishes_as_a_secret_is_not_in_the_line) {
  config::Service& spec = daemon("db");
  spec.ready.probes.push_back(a_probe(config::Probe::Kind::log));
  spec.extras = std::make_unique<config::ServiceExtras>();
  spec.extras->outputs.secret = {"TOKEN"};
  up();
  service("db").publish("TOKEN", "hunter22");
  service("db").heard({.kind = config::Probe::Kind::log, .words = "token is hunter22"});
  loop.run_until_idle();
  EXPECT_EQ(events("db").back().evidence.words, "token is ***");
}

TEST_F(JournalOfStack, a_failure_is_written_with_its_cause) {
  config::Service& db = daemon("db");
  db.restart->policy = config::RestartPolicy::no;
  daemon("api", {"db"});
  script("db", {.exits_after = 1s, .exits_with = {.signaled = false, .value = 3}});
  up();
  advance(2s);
  const JournalEvent failed = events("db").back();
  EXPECT_EQ(failed.to, State::failed);
  EXPECT_FALSE(failed.cause.empty());
}

TEST_F(JournalOfStack, the_stack_says_when_it_began_when_it_was_up_and_why_it_goes) {
  daemon("db");
  up();
  down();
  const auto of_stack = events("", EventKind::stack);
  ASSERT_EQ(of_stack.size(), 3U);
  EXPECT_EQ(of_stack[0].subject, "begun");
  EXPECT_EQ(of_stack[1].subject, "up");
  EXPECT_EQ(of_stack[2].subject, "stopping");
  EXPECT_EQ(of_stack[2].cause, "the stack goes down");
}

TEST_F(JournalOfStack, a_bell_of_its_own_is_written_with_its_evidence) {
  config::Service& spec = daemon("db");
  spec.extras = std::make_unique<config::ServiceExtras>();
  spec.extras->bells.push_back({.name = "booted", .probes = {}});
  spec.extras->bells[0].probes.probes.push_back(a_probe(config::Probe::Kind::log));
  up();
  service("db").heard({.kind = config::Probe::Kind::log, .words = "booted"});
  loop.run_until_idle();
  const auto bells = events("db", EventKind::bell);
  ASSERT_EQ(bells.size(), 2U);
  EXPECT_EQ(bells[0].subject, "started");
  EXPECT_NE(bells[0].evidence.pid, 0);
  EXPECT_EQ(bells[1].subject, "booted");
  EXPECT_EQ(bells[1].evidence.words, "booted");
}

TEST_F(JournalOfStack, the_timeline_knows_since_when_each_edge_held) {
  speaking(daemon("db"));
  speaking(daemon("cache"));
  daemon("api", {"db", "cache"});
  up();
  advance(1s);
  say_ready("cache");
  const TimePoint cache_ready = loop.now();
  advance(2s);
  say_ready("db");
  const TimePoint db_ready = loop.now();
  const daemon::TimelineView api = supervisor->timeline(*supervisor->find("api"));
  ASSERT_EQ(api.edges.size(), 2U);
  EXPECT_EQ(api.edges[0].on, "db");
  EXPECT_EQ(api.edges[0].holds_since, db_ready);
  EXPECT_EQ(api.edges[1].holds_since, cache_ready);
  EXPECT_EQ(api.starting, db_ready);
  EXPECT_EQ(supervisor->start().up, db_ready);
}

TEST_F(JournalOfStack, of_a_gate_that_is_enough_the_member_that_made_it_so_counts) {
  speaking(daemon("a"));
  speaking(daemon("b"));
  speaking(daemon("c"));
  config::Service& quorum = gate("quorum", {"a", "b", "c"});
  quorum.require = config::Quorum{.count = 2};
  daemon("api", {"quorum"});
  up();
  advance(1s);
  say_ready("c");
  advance(1s);
  say_ready("a");
  const TimePoint enough = loop.now();
  const daemon::TimelineView api = supervisor->timeline(*supervisor->find("api"));
  EXPECT_EQ(api.edges[0].holds_since, enough);
  EXPECT_EQ(api.starting, enough);
}

}  // namespace
}  // namespace belfry::testing
