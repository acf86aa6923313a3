// What follows from what a service says of itself.
#include "tests/daemon/rig.hpp"

#include <csignal>

namespace belfry::testing {
namespace {

using daemon::NotifyRefusal;
using daemon::WatchdogPing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NotifyState : public Rig {
 public:
  config::ServiceExtras& extras_of(config::Service& service) {
    if (!service.extras) service.extras = std::make_unique<config::ServiceExtras>();
    return *service.extras;
  }
  config::Service& watched(std::string name, Duration every) {
    config::Service& made = speaking(daemon(std::move(name)));
    extras_of(made).watchdog = every;
    made.restart->delay = 100ms;
    made.restart->jitter = 0;
    return made;
  }
  void settle() { loop.run_until_idle(); }
  std::uint64_t refused(std::string_view name, NotifyRefusal why) {
    return service(name).tally().refused[static_cast<std::size_t>(why)];
  }
};

// --- STOPPING, RELOADING

TEST_F(NotifyState, who_says_stopping_is_unready_and_a_later_ready_does_not_resurrect_it) {
  speaking(daemon("db"));
  up();
  say_ready("db");
  service("db").said({.stopping = true});
  settle();
  EXPECT_EQ(state("db"), State::unready);
  EXPECT_THAT(cause("db"), HasSubstr("STOPPING=1"));
  say_ready("db");
  EXPECT_EQ(state("db"), State::unready);
  EXPECT_EQ(refused("db", NotifyRefusal::after_stopping), 1U);
  EXPECT_EQ(service("db").counters().notify_refused, 1U);
  end("db", 0);
  EXPECT_EQ(state("db"), State::completed);
}

TEST_F(NotifyState, stopping_before_ready_is_never_ready) {
  speaking(daemon("db")).restart->policy = config::RestartPolicy::no;
  up();
  service("db").said({.stopping = true});
  say_ready("db");
  EXPECT_EQ(state("db"), State::starting);
  end("db", 0);
  EXPECT_EQ(state("db"), State::failed);
}

TEST_F(NotifyState, what_was_said_of_one_run_says_nothing_of_the_next) {
  speaking(daemon("db")).restart->delay = 100ms;
  up();
  service("db").said({.stopping = true});
  service("db").said({.status = "leaving"});
  end("db", 1);
  advance(200ms);
  EXPECT_EQ(service("db").record().run.said.status(), "");
  say_ready("db");
  EXPECT_EQ(state("db"), State::ready);
}

TEST_F(NotifyState, who_reloads_stays_ready_until_its_time_is_over) {
  config::Service& db = speaking(daemon("db"));
  db.ready.probes[0].timeout = 5s;
  up();
  say_ready("db");
  service("db").said({.reloading = true});
  settle();
  EXPECT_EQ(state("db"), State::ready);
  advance(4999ms);
  EXPECT_EQ(state("db"), State::ready);
  advance(1ms);
  EXPECT_EQ(state("db"), State::unready);
  EXPECT_THAT(cause("db"), HasSubstr("RELOADING=1, and not READY=1 within 5000 ms"));
  say_ready("db");
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_TRUE(loop.timers().empty());
}

TEST_F(NotifyState, a_reload_that_ends_in_time_is_no_event_at_all) {
  config::Service& db = speaking(daemon("db"));
  db.ready.probes[0].timeout = 5s;
  up();
  say_ready("db");
  service("db").said({.reloading = true});
  advance(1s);
  say_ready("db");
  advance(10s);
  EXPECT_THAT(chronicle.entries, ElementsAre("db waiting", "db starting", "db ready"));
}

// --- the watchdog

TEST_F(NotifyState, silence_is_answered_with_abort_and_a_restart_that_counts_as_the_watchdogs) {
  watched("db", 2s);
  script("db", {.stops_after = 10ms});
  up();
  say_ready("db");
  advance(1999ms);
  EXPECT_EQ(state("db"), State::ready);
  advance(1ms);
  EXPECT_EQ(state("db"), State::stopping);
  EXPECT_GE(when("SIGABRT db#1"), 0);
  EXPECT_EQ(when("SIGTERM db#1"), -1) << "not asked to stop: aborted";
  EXPECT_THAT(cause("db"), HasSubstr("db is not alive: it did not say WATCHDOG=1 for 2000 ms"));
  advance(10ms);
  EXPECT_EQ(state("db"), State::backoff);
  advance(100ms);
  EXPECT_EQ(state("db"), State::starting);
  EXPECT_EQ(service("db").counters().restarts_on_watchdog, 1U);
  EXPECT_EQ(service("db").counters().restarts_on_failure, 0U);
}

TEST_F(NotifyState, who_does_not_die_of_the_abort_is_killed_at_its_stop_timeout) {
  watched("db", 2s).stop.timeout = 3s;
  script("db", {.stops_after = std::nullopt});
  up();
  say_ready("db");
  advance(2s + 2999ms);
  EXPECT_EQ(state("db"), State::stopping);
  EXPECT_EQ(when("SIGKILL db#1"), -1);
  advance(1ms);
  EXPECT_GE(when("SIGKILL db#1"), 0);
  EXPECT_EQ(state("db"), State::backoff);
}

TEST_F(NotifyState, signs_of_life_keep_it_and_cost_one_wake_up_an_interval) {
  watched("db", 2s);
  up();
  say_ready("db");
  for (int i = 0; i < 20; ++i) {
    advance(500ms);
    service("db").said({.watchdog = WatchdogPing::alive});
    settle();
  }
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_EQ(loop.timers().size(), 1U);
  advance(2s);
  EXPECT_NE(state("db"), State::ready);
}

TEST_F(NotifyState, a_start_that_takes_long_is_not_silence) {
  watched("db", 2s);
  up();
  advance(1min);
  EXPECT_EQ(state("db"), State::starting);
  say_ready("db");
  advance(1s);
  EXPECT_EQ(state("db"), State::ready);
}

TEST_F(NotifyState, a_service_may_set_its_own_interval_and_switch_it_off) {
  speaking(daemon("db"));
  up();
  say_ready("db");
  EXPECT_TRUE(loop.timers().empty()) << "no watchdog, no timer";
  service("db").said({.watchdog_interval = 1s});
  settle();
  advance(999ms);
  EXPECT_EQ(state("db"), State::ready);
  service("db").said({.watchdog_interval = 0s});
  settle();
  advance(1h);
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_TRUE(loop.timers().empty());
}

TEST_F(NotifyState, a_service_may_pull_the_trigger_itself) {
  speaking(daemon("db"));
  up();
  say_ready("db");
  service("db").said({.watchdog = WatchdogPing::trigger});
  settle();
  EXPECT_GE(when("SIGABRT db#1"), 0);
  EXPECT_EQ(service("db").counters().restarts_on_watchdog, 1U);
}

TEST_F(NotifyState, the_watchdog_of_one_run_does_not_bite_the_next) {
  watched("db", 2s);
  up();
  say_ready("db");
  advance(2s + 100ms);
  ASSERT_EQ(state("db"), State::starting);
  advance(1min);
  EXPECT_EQ(state("db"), State::starting);
}

// --- EXTEND_TIMEOUT_USEC

TEST_F(NotifyState, a_start_may_ask_for_more_time) {
  config::Service& db = speaking(daemon("db"));
  db.ready.probes[0].timeout = 5s;
  db.restart->policy = config::RestartPolicy::no;
  up();
  advance(4s);
  service("db").said({.extend_timeout = 3s});
  settle();
  advance(2999ms);
  EXPECT_EQ(state("db"), State::starting);
  advance(1ms);
  EXPECT_EQ(state("db"), State::failed);
}

TEST_F(NotifyState, asking_for_less_than_there_is_takes_nothing_away) {
  config::Service& db = speaking(daemon("db"));
  db.ready.probes[0].timeout = 5s;
  up();
  service("db").said({.extend_timeout = 1s});
  settle();
  advance(4999ms);
  EXPECT_EQ(state("db"), State::starting);
}

TEST_F(NotifyState, without_a_deadline_there_is_nothing_to_extend) {
  speaking(daemon("db"));
  up();
  service("db").said({.extend_timeout = 1s});
  settle();
  advance(1h);
  EXPECT_EQ(state("db"), State::starting);
}

TEST_F(NotifyState, a_stop_may_take_longer_but_not_longer_than_the_shutdown) {
  daemon("db").stop.timeout = 2s;
  script("db", {.stops_after = std::nullopt});
  up();
  down(10s);
  advance(1s);
  service("db").said({.extend_timeout = 5s});
  settle();
  advance(4s);
  EXPECT_EQ(state("db"), State::stopping);
  service("db").said({.extend_timeout = 1h});
  settle();
  advance(5s);
  EXPECT_EQ(state("db"), State::inactive);
}

TEST_F(NotifyState, what_was_asked_for_in_the_start_does_not_lengthen_the_stop) {
  speaking(daemon("db")).stop.timeout = 2s;
  script("db", {.stops_after = std::nullopt});
  up();
  service("db").said({.extend_timeout = 1h});
  say_ready("db");
  command(ServiceCommand::stop, "db");
  advance(2s);
  EXPECT_EQ(state("db"), State::inactive);
}

// --- MAINPID, ERRNO

TEST_F(NotifyState, when_another_process_is_the_main_one_the_first_may_leave) {
  speaking(daemon("db"));
  up();
  service("db").main_process_is(77);
  end("db", 0);
  EXPECT_EQ(state("db"), State::starting);
  say_ready("db");
  EXPECT_EQ(state("db"), State::ready);
  EXPECT_EQ(supervisor->service(0).pid, 77);
  service("db").main_ended(77, system::ExitStatus{.signaled = false, .value = 3});
  settle();
  EXPECT_THAT(cause("db"), HasSubstr("exited with code 3"));
  EXPECT_EQ(state("db"), State::backoff);
}

TEST_F(NotifyState, the_main_process_is_the_one_that_is_asked_to_stop) {
  speaking(daemon("db")).stop.signal = SIGINT;
  up();
  service("db").main_process_is(77);
  say_ready("db");
  command(ServiceCommand::stop, "db");
  EXPECT_THAT(resources.main_signals, ElementsAre(std::pair("db"s, SIGINT)));
}

TEST_F(NotifyState, a_main_process_whose_end_nobody_can_explain_has_failed) {
  speaking(daemon("db"));
  up();
  say_ready("db");
  service("db").main_process_is(77);
  service("db").main_ended(77, std::nullopt);
  settle();
  EXPECT_EQ(service("db").counters().restarts_on_failure, 1U);
  EXPECT_THAT(cause("db"), HasSubstr("process 77, which it called its main one, is gone"));
}

TEST_F(NotifyState, its_own_word_for_the_exit_status_counts_when_nobody_else_has_one) {
  speaking(daemon("db"));
  up();
  say_ready("db");
  service("db").main_process_is(77);
  service("db").said({.errnum = std::nullopt, .exit_status = 0});
  service("db").main_ended(77, std::nullopt);
  settle();
  EXPECT_EQ(state("db"), State::completed);
}

TEST_F(NotifyState, its_own_word_for_the_failure_stands_beside_the_exit_code) {
  speaking(daemon("db"));
  up();
  service("db").said({.errnum = ENOENT, .exit_status = std::nullopt});
  end("db", 1);
  EXPECT_THAT(cause("db"),
              HasSubstr("exited with code 1 before it was ready (it said ERRNO=2, No such file"));
}

// --- belfry reload SERVICE

TEST_F(NotifyState, a_service_without_reload_refuses_and_says_what_to_write) {
  daemon("db");
  up();
  const auto& asked = command(ServiceCommand::reload, "db");
  ASSERT_TRUE(asked.result);
  EXPECT_EQ(asked.result->outcome, CommandOutcome::refused);
  EXPECT_THAT(asked.result->message,
              HasSubstr("cannot reload db: it has no `reload:` (write `reload: SIGHUP`"));
}

TEST_F(NotifyState, what_does_not_run_cannot_reload) {
  extras_of(daemon("db")).reload_signal = SIGHUP;
  up();
  command(ServiceCommand::stop, "db");
  const auto& asked = command(ServiceCommand::reload, "db");
  ASSERT_TRUE(asked.result);
  EXPECT_EQ(asked.result->outcome, CommandOutcome::refused);
  EXPECT_THAT(asked.result->message, HasSubstr("it is inactive"));
}

TEST_F(NotifyState, a_reload_signal_is_sent_and_that_is_all_where_nobody_would_answer) {
  extras_of(daemon("db")).reload_signal = SIGHUP;
  script("db", {.stops_after = std::nullopt});
  up();
  const auto& asked = command(ServiceCommand::reload, "db");
  EXPECT_GE(when("SIGHUP db#1"), 0);
  ASSERT_TRUE(asked.result);
  EXPECT_EQ(asked.result->outcome, CommandOutcome::done);
  EXPECT_EQ(asked.result->message, "sent SIGHUP to db");
}

class Reloads : public NotifyState {
 public:
  void begin() {
    config::Service& db = speaking(daemon("db"));
    extras_of(db).reload_signal = SIGUSR1;
    script("db", {.stops_after = std::nullopt});
    up();
    say_ready("db");
    advance(1s);
  }
};

TEST_F(Reloads, the_command_returns_when_the_service_says_that_it_is_done) {
  begin();
  const auto& asked = command(ServiceCommand::reload, "db");
  EXPECT_FALSE(asked.result);
  service("db").said({.reloading = true, .monotonic = loop.now()});
  advance(10s);
  EXPECT_FALSE(asked.result);
  say_ready("db");
  ASSERT_TRUE(asked.result);
  EXPECT_EQ(asked.result->outcome, CommandOutcome::done);
  EXPECT_EQ(asked.result->message, "db has reloaded");
}

TEST_F(Reloads, a_reload_that_began_before_the_signal_is_not_the_answer_to_it) {
  begin();
  const auto& asked = command(ServiceCommand::reload, "db");
  service("db").said({.reloading = true, .monotonic = loop.now() - 1ms});
  say_ready("db");
  EXPECT_FALSE(asked.result);
  service("db").said({.reloading = true, .monotonic = loop.now()});
  say_ready("db");
  ASSERT_TRUE(asked.result);
  EXPECT_EQ(asked.result->message, "db has reloaded");
}

TEST_F(Reloads, who_never_says_that_it_reloads_is_not_waited_for) {
  begin();
  const auto& asked = command(ServiceCommand::reload, "db");
  advance(2s);
  ASSERT_TRUE(asked.result);
  EXPECT_EQ(asked.result->outcome, CommandOutcome::done);
  EXPECT_EQ(asked.result->message, "sent SIGUSR1 to db (it does not say when it has reloaded)");
}

TEST_F(Reloads, a_reload_that_takes_too_long_is_told_so) {
  begin();
  const auto& asked = command(ServiceCommand::reload, "db");
  service("db").said({.reloading = true, .monotonic = loop.now()});
  advance(1min);
  ASSERT_TRUE(asked.result);
  EXPECT_EQ(asked.result->outcome, CommandOutcome::not_in_time);
  EXPECT_THAT(asked.result->message, HasSubstr("db has said RELOADING=1, and not READY=1 since"));
}

TEST_F(Reloads, a_service_that_dies_of_it_is_told_so) {
  begin();
  const auto& asked = command(ServiceCommand::reload, "db");
  service("db").said({.reloading = true, .monotonic = loop.now()});
  end("db", 3);
  ASSERT_TRUE(asked.result);
  EXPECT_EQ(asked.result->outcome, CommandOutcome::never);
  EXPECT_THAT(asked.result->message, HasSubstr("db ended while it reloaded"));
}

TEST_F(Reloads, who_asked_may_leave) {
  begin();
  auto& asked = command(ServiceCommand::reload, "db");
  asked.context.cancel(Error::closed("the client left"));
  settle();
  EXPECT_TRUE(asked.result);
  EXPECT_EQ(requests.count(), 0U);
}

class ReloadCommand : public NotifyState {
 public:
  void begin(ProcessScript what) {
    extras_of(daemon("db")).reload_command = {"./reread"};
    processes.script = [what](const RunId& id) {
      return id.command == "./reread" ? what : ProcessScript{.stops_after = std::nullopt};
    };
    up();
  }
};

TEST_F(ReloadCommand, it_is_run_and_its_success_is_the_answer) {
  begin({.exits_after = 50ms});
  const auto& asked = command(ServiceCommand::reload, "db");
  EXPECT_FALSE(asked.result);
  advance(50ms);
  ASSERT_TRUE(asked.result);
  EXPECT_EQ(asked.result->outcome, CommandOutcome::done);
  EXPECT_EQ(asked.result->message, "reloaded db");
  EXPECT_EQ(state("db"), State::ready);
}

TEST_F(ReloadCommand, its_failure_leaves_the_service_as_it_is) {
  begin({.exits_after = 50ms, .exits_with = {.value = 2}});
  const auto& asked = command(ServiceCommand::reload, "db");
  advance(50ms);
  ASSERT_TRUE(asked.result);
  EXPECT_EQ(asked.result->outcome, CommandOutcome::never);
  EXPECT_THAT(asked.result->message, HasSubstr("the reload command ./reread exited with code 2"));
  EXPECT_EQ(state("db"), State::ready);
}

TEST_F(ReloadCommand, it_is_killed_when_it_takes_too_long) {
  begin({.stops_after = std::nullopt});
  const auto& asked = command(ServiceCommand::reload, "db");
  advance(1min);
  ASSERT_TRUE(asked.result);
  EXPECT_EQ(asked.result->outcome, CommandOutcome::not_in_time);
  EXPECT_THAT(asked.result->message, HasSubstr("./reread was killed"));
}

TEST_F(ReloadCommand, it_goes_with_its_service) {
  begin({.stops_after = std::nullopt});
  const auto& asked = command(ServiceCommand::reload, "db");
  processes.end("db", {.value = 1});
  settle();
  ASSERT_TRUE(asked.result);
  EXPECT_EQ(asked.result->outcome, CommandOutcome::never);
}

}  // namespace
}  // namespace belfry::testing
