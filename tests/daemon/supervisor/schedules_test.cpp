// Oneshots that run by themselves: when they start, when they don't, and what is said about it.
#include "daemon/supervisor/schedules.hpp"

#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Goes with the loop's clock, and is set by the test.
class SetTimeOfDay final : public system::TimeOfDay {
 public:
  explicit SetTimeOfDay(const Loop& loop) : loop_(loop) {}
  [[nodiscard]] system::WallTime now() const override {
    return system::WallTime(loop_.now().time_since_epoch() + set_by_);
  }
  Result<void> tell(Wakeup& changed) override {
    changed_ = &changed;
    return {};
  }
  void set(Duration by) {
    set_by_ += by;
    if (changed_ != nullptr) changed_->notify();
  }

 private:
  const Loop& loop_;
  Duration set_by_{0};
  Wakeup* changed_ = nullptr;
};

class Schedules : public Rig {
 protected:
  config::Schedule& scheduled(std::string name, std::initializer_list<const char*> on = {}) {
    config::Service& made = oneshot(std::move(name), on);
    made.extras = std::make_unique<config::ServiceExtras>();
    made.extras->health_ignore = true;
    return made.extras->schedule.emplace();
  }
  config::Schedule& every(Duration time, std::string name = "job") {
    config::Schedule& made = scheduled(std::move(name));
    made.every = time;
    return made;
  }
  void begin() {
    supervisor =
        std::make_unique<daemon::Supervisor>(root, stack, processes, resources, probes, chronicle, 1);
    supervisor->tell_time_by(time_of_day);
    supervisor->begin({});
    loop.run_until_idle();
  }
  std::uint64_t runs(std::string_view name = "job") { return service(name).record().runs; }
  daemon::ScheduleView view(std::string_view name = "job") {
    return supervisor->service(*supervisor->find(name)).schedule.value();
  }
  void leave() {
    down();
    advance(1min);
    spawn(requests, "end", supervisor->end());
    loop.run_until_idle();
    EXPECT_EQ(processes.alive(), 0U);
    EXPECT_EQ(loop.tasks(), 0U);
  }

  SetTimeOfDay time_of_day{loop};
};

TEST_F(Schedules, the_first_run_comes_when_its_time_comes) {
  every(10min);
  begin();
  EXPECT_EQ(state("job"), State::inactive);
  EXPECT_EQ(view().next, loop.now() + 10min);
  advance(10min - 1ms);
  EXPECT_EQ(runs(), 0U);
  advance(1ms);
  EXPECT_EQ(runs(), 1U);
  end("job");
  EXPECT_EQ(state("job"), State::completed);
  advance(10min);
  EXPECT_EQ(runs(), 2U);
  end("job", 3);
  EXPECT_EQ(state("job"), State::failed);
  advance(10min);
  EXPECT_EQ(runs(), 3U) << "one run that has failed is not the last one";
  leave();
}

TEST_F(Schedules, at_start_it_runs_once_and_then_when_its_time_comes) {
  every(10min).at_start = true;
  begin();
  EXPECT_EQ(runs(), 1U);
  end("job");
  advance(10min);
  EXPECT_EQ(runs(), 2U);
  leave();
}

TEST_F(Schedules, the_start_of_the_stack_does_not_wait_for_it) {
  every(10min);
  daemon("web");
  begin();
  EXPECT_TRUE(supervisor->started_up());
  EXPECT_TRUE(supervisor->stack_ready());
  advance(10min);
  EXPECT_TRUE(supervisor->stack_ready()) << "nor while it runs";
  end("job", 1);
  EXPECT_TRUE(supervisor->stack_ready()) << "nor when it has failed";
  leave();
}

TEST_F(Schedules, readyz_waits_for_its_first_success_where_the_file_says_so) {
  every(10min);
  stack.services.back().extras->health_ignore = false;
  begin();
  EXPECT_FALSE(supervisor->stack_ready());
  EXPECT_FALSE(supervisor->start_is_hopeless());
  advance(10min);
  end("job");
  EXPECT_TRUE(supervisor->stack_ready());
  leave();
}

TEST_F(Schedules, a_stack_that_only_waits_for_times_does_not_end) {
  every(10min);
  begin();
  advance(10min);
  end("job");
  advance(1min);
  EXPECT_FALSE(supervisor->ending().ended());
  leave();
}

TEST_F(Schedules, its_run_waits_for_what_it_needs) {
  speaking(daemon("db"));
  scheduled("job", {"db"}).every = 10min;
  begin();
  advance(10min);
  EXPECT_EQ(state("job"), State::waiting);
  say_ready("db");
  EXPECT_EQ(runs(), 1U);
  leave();
}

TEST_F(Schedules, a_run_that_is_due_while_the_last_one_runs_is_skipped_and_told_once) {
  every(10min);
  begin();
  advance(30min);
  EXPECT_EQ(runs(), 1U);
  EXPECT_EQ(view().skipped, 2U);
  EXPECT_THAT(chronicle.notices, ElementsAre("job skips a run that is due: the last one has not ended"));
  end("job");
  EXPECT_EQ(runs(), 1U) << "what was skipped is not run later";
  advance(10min);
  EXPECT_EQ(runs(), 2U);
  EXPECT_THAT(chronicle.notices, Contains("job runs again, after 2 runs that were skipped"));
  leave();
}

TEST_F(Schedules, queued_it_runs_when_the_last_one_has_ended_once) {
  every(10min).overlap = config::Overlap::queue;
  begin();
  advance(30min);
  EXPECT_TRUE(view().is_queued);
  EXPECT_EQ(view().skipped, 1U) << "one waits, and not two";
  end("job");
  EXPECT_EQ(runs(), 2U);
  EXPECT_FALSE(view().is_queued);
  end("job");
  EXPECT_EQ(runs(), 2U);
  leave();
}

TEST_F(Schedules, killed_the_last_one_makes_room) {
  every(10min).overlap = config::Overlap::kill;
  script("job", {.stops_after = 2s});
  begin();
  advance(20min);
  EXPECT_EQ(runs(), 1U);
  EXPECT_EQ(state("job"), State::stopping);
  advance(2s);
  EXPECT_EQ(runs(), 2U);
  EXPECT_EQ(state("job"), State::starting);
  EXPECT_LT(when("gone job#1"), when("spawn job#2"));
  EXPECT_EQ(service("job").counters().restarts(), 0U);
  leave();
}

TEST_F(Schedules, one_that_does_not_end_when_it_is_asked_is_killed_at_its_stop_timeout) {
  every(10min).overlap = config::Overlap::kill;
  script("job", {.stops_after = std::nullopt});
  begin();
  advance(20min + 10s);
  EXPECT_EQ(runs(), 2U);
  EXPECT_NE(when("SIGKILL job#1"), -1);
  leave();
}

TEST_F(Schedules, who_was_stopped_by_command_is_left_alone_until_somebody_starts_it) {
  every(10min);
  begin();
  command(ServiceCommand::stop, "job");
  EXPECT_EQ(view().next, std::nullopt);
  advance(40min);
  EXPECT_EQ(runs(), 0U);
  EXPECT_THAT(chronicle.notices, ElementsAre());
  command(ServiceCommand::start, "job");
  EXPECT_EQ(runs(), 1U) << "now";
  end("job");
  advance(10min);
  EXPECT_EQ(runs(), 2U) << "and by itself again";
  leave();
}

TEST_F(Schedules, a_start_by_command_moves_no_time) {
  every(10min);
  begin();
  advance(5min);
  command(ServiceCommand::start, "job");
  end("job");
  advance(5min);
  EXPECT_EQ(runs(), 2U);
  leave();
}

TEST_F(Schedules, a_run_whose_retry_is_on_its_way_has_not_ended) {
  config::Schedule& schedule = every(10min);
  schedule.overlap = config::Overlap::skip;
  stack.services.back().restart->policy = config::RestartPolicy::on_failure;
  stack.services.back().restart->delay = 15min;
  stack.services.back().restart->max_delay = 15min;
  begin();
  advance(10min);
  end("job", 1);
  EXPECT_EQ(state("job"), State::backoff);
  advance(10min);
  EXPECT_EQ(runs(), 1U);
  EXPECT_THAT(
      chronicle.notices,
      Contains("job skips a run that is due: the last one has failed, and is about to be tried again"));
  leave();
}

TEST_F(Schedules, by_cron_it_runs_at_its_time_of_the_day) {
  config::Schedule& schedule = scheduled("job");
  schedule.cron = "30 * * * *";
  schedule.time_zone = "UTC";
  begin();  // at 01:00
  EXPECT_EQ(view().next, loop.now() + 30min);
  EXPECT_EQ(view().text, "30 * * * * (UTC)");
  advance(30min);
  EXPECT_EQ(runs(), 1U);
  end("job");
  advance(1h);
  EXPECT_EQ(runs(), 2U);
  leave();
}

TEST_F(Schedules, when_the_time_of_day_is_set_the_next_run_is_computed_anew) {
  config::Schedule& schedule = scheduled("job");
  schedule.cron = "30 * * * *";
  schedule.time_zone = "UTC";
  begin();
  time_of_day.set(20min);
  loop.run_until_idle();
  EXPECT_EQ(view().next, loop.now() + 10min);
  time_of_day.set(-10min);
  loop.run_until_idle();
  EXPECT_EQ(view().next, loop.now() + 20min);
  advance(20min);
  EXPECT_EQ(runs(), 1U);
  leave();
}

TEST_F(Schedules, what_was_missed_while_the_machine_slept_is_told_and_made_up_for_once) {
  config::Schedule& schedule = scheduled("job");
  schedule.cron = "30 * * * *";
  schedule.time_zone = "UTC";
  begin();
  time_of_day.set(4h);
  loop.run_until_idle();
  EXPECT_EQ(runs(), 1U);
  EXPECT_EQ(view().missed, 3U);
  EXPECT_THAT(chronicle.notices,
              ElementsAre(HasSubstr("job was due 4 times in the last 3h30m, and runs once for all of them")));
  end("job");
  loop.run_until_idle();
  EXPECT_EQ(runs(), 1U);
  EXPECT_EQ(view().next, loop.now() + 30min);
  leave();
}

TEST_F(Schedules, nobody_is_started_when_everything_goes_down) {
  every(10min);
  script("web", {.stops_after = 20s});
  daemon("web").stop.timeout = 30s;
  begin();
  advance(10min - 5s);
  supervisor->stop_everything(loop.now() + 60s, Error::closed("the stack goes down"));
  loop.run_until_idle();
  advance(30s);
  EXPECT_EQ(runs(), 0U);
  leave();
}

TEST_F(Schedules, whoever_waits_for_its_completion_waits_for_its_first_run) {
  every(10min);
  begin();
  const Asked& asked = wait_for("job", Condition::completed);
  EXPECT_FALSE(asked.waited);
  advance(10min);
  end("job");
  ASSERT_TRUE(asked.waited);
  EXPECT_TRUE(*asked.waited);
  leave();
}

TEST_F(Schedules, why_says_when_its_time_comes) {
  every(10min);
  begin();
  const daemon::StackFacts facts = supervisor->why_facts(*supervisor->find("job"));
  EXPECT_EQ(facts.services.front().reason, daemon::Reason::not_due);
  EXPECT_EQ(facts.services.front().due_in, Duration(10min));
  leave();
}

// --- a reload

class ScheduleReload : public Schedules {
 protected:
  config::Stack next = a_stack();
  config::Schedule& then(std::string name, Duration time) {
    config::Service& made = a_service(next, std::move(name), ServiceType::oneshot);
    made.extras = std::make_unique<config::ServiceExtras>();
    made.extras->health_ignore = true;
    config::Schedule& schedule = made.extras->schedule.emplace();
    schedule.every = time;
    return schedule;
  }
  void reload() {
    daemon::NewStack made{.stack = std::move(next), .difference = {}, .warnings = {}};
    made.difference = config::difference(stack, supervisor->specs(), made.stack);
    spawn(requests, "reload", exchange(std::move(made)));
    loop.run_until_idle();
    ASSERT_TRUE(result && *result);
  }
  Task<void> exchange(daemon::NewStack made) {
    result = co_await supervisor->exchange(context, std::move(made));
  }
  Context context{loop};
  std::optional<Result<daemon::Touched>> result;
};

TEST_F(ScheduleReload, another_schedule_counts_from_the_reload_on_and_stops_nobody) {
  every(10min);
  begin();
  advance(10min);
  then("job", 1min);
  reload();
  EXPECT_EQ(runs(), 1U);
  EXPECT_EQ(state("job"), State::starting) << "what runs goes on";
  EXPECT_EQ(view().next, loop.now() + 1min);
  end("job");
  advance(1min);
  EXPECT_EQ(runs(), 2U);
  leave();
}

TEST_F(ScheduleReload, who_is_unchanged_keeps_its_time) {
  every(10min);
  begin();
  advance(4min);
  then("job", 10min);
  a_service(next, "web", ServiceType::daemon);
  reload();
  EXPECT_EQ(view().next, loop.now() + 6min);
  leave();
}

TEST_F(ScheduleReload, who_is_new_waits_for_its_time) {
  daemon("web");
  begin();
  a_service(next, "web", ServiceType::daemon);
  then("job", 10min);
  reload();
  EXPECT_EQ(state("job"), State::inactive);
  EXPECT_THAT((*result)->starts, ElementsAre());
  advance(10min);
  EXPECT_EQ(runs(), 1U);
  leave();
}

TEST_F(ScheduleReload, who_has_gone_is_not_started) {
  every(10min);
  daemon("web");
  begin();
  a_service(next, "web", ServiceType::daemon);
  reload();
  advance(20min);
  EXPECT_EQ(processes.spawned(), 1U);
  leave();
}

TEST_F(ScheduleReload, who_has_no_schedule_any_more_and_has_never_run_is_started_as_any_oneshot) {
  every(10min);
  begin();
  a_service(next, "job", ServiceType::oneshot);
  reload();
  EXPECT_EQ(runs(), 1U);
  end("job");
  advance(20min);
  EXPECT_EQ(runs(), 1U);
  leave();
}

TEST_F(ScheduleReload, one_that_has_failed_is_not_tried_before_its_time) {
  every(10min);
  begin();
  advance(10min);
  end("job", 1);
  then("job", 10min).overlap = config::Overlap::queue;
  reload();
  EXPECT_EQ(state("job"), State::failed);
  advance(10min);
  EXPECT_EQ(runs(), 2U);
  leave();
}

}  // namespace
}  // namespace belfry::testing
