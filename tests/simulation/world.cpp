#include "tests/simulation/world.hpp"

#include <csignal>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>

#include "channels/mutex.hpp"
#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "daemon/supervisor/stop_requests.hpp"
#include "daemon/supervisor/supervisor.hpp"
#include "tests/simulation/oracle.hpp"
#include "tests/support/fake_probes.hpp"
#include "tests/support/fake_processes.hpp"
#include "tests/support/fake_resources.hpp"

namespace belfry::simulation {

using daemon::CommandOutcome;
using daemon::CommandResult;
using daemon::Service;
using daemon::SharedIncarnation;
using daemon::State;

namespace {

// The journal writes an outcome as the HTTP status that stands for it, so that journals stay comparable.
std::string status_number(CommandOutcome outcome) {
  switch (outcome) {
    case CommandOutcome::done: return "200";
    case CommandOutcome::refused: return "409";
    case CommandOutcome::never: return "424";
    case CommandOutcome::shutting_down: return "503";
    case CommandOutcome::not_in_time: break;
  }
  return "504";
}

// After a SIGKILL at the very end of the budget its effect may still be noticed late, of each service and its
// hooks.
constexpr Duration latest_notice = std::chrono::milliseconds(20);

// Owner: live_through. Lifecycle: made, lived through once, destroyed. Cancellation: none; it ends.
class World final : daemon::Reporter {
 public:
  World(const Plan& plan, std::FILE* journal) : plan_(plan), journal_(journal), stack_(make_stack(plan)) {
    plan_by(plan_);
    processes_.script = [this](const testing::RunId& id) {
      const PlannedService& of = planned(id.service);
      return is_hook(id) ? hook_behaviour(plan_, of, id.command, id.run, calm_)
                         : behaviour(plan_, of, id.run, calm_);
    };
    processes_.notices_late = [this](const testing::RunId& id) {
      return calm_ ? Duration(0) : notices_death_after(plan_, planned(id.service), id.run);
    };
    processes_.on_spawn = [this](const testing::RunId& id) { spawned(id); };
    resources_.refuse = [this](const config::Service& s, std::uint64_t runs) { return try_to_bind(s, runs); };
    probes_.answer = [this](const std::string& service, const config::Probe& probe) {
      return answer(plan_, planned(service), probe, loop_.now() - begun_at_, calm_);
    };
  }
  ~World() {
    if (!finished_) loop_.abandon();
  }

  std::optional<std::string> live() {
    begun_at_ = loop_.now();
    spawn(director_, "director", direct(root_));
    loop_.run_until_idle();
    while (!finished_ && !failure_) {
      if (auto wrong = oracle_.check_idle()) return fail(*wrong);
      if (auto wrong = check_sockets()) return fail(*wrong);
      if (auto wrong = oracle_.check_losses(loop_.now())) return fail(*wrong);
      if (auto wrong = going_down_ ? std::nullopt : oracle_.check_ending()) return fail(*wrong);
      if (!loop_.advance_to_next_timer()) return fail("nothing can go on any more" + who_waits());
    }
    loop_.run_until_idle();
    if (!failure_) look_at_what_is_left();
    return failure_;
  }

 private:
  struct Asked {
    Asked(Context& parent, std::optional<TimePoint> deadline, std::string text)
        : bounded(std::in_place, parent, deadline.value_or(TimePoint::max())), what(std::move(text)) {}
    std::optional<Context> bounded;  // until it is answered
    std::string what;
    bool answered = false;
  };

  const PlannedService& planned(std::string_view name) const { return planned_.at(number_of(name)); }
  // Who is not in it any more did as it was planned.
  void plan_by(const Plan& plan) {
    current_ = plan;
    for (const PlannedService& s : plan.services) planned_.insert_or_assign(s.number, s);
  }
  bool is_there(std::uint32_t number) const { return supervisor_.find(name_of(number)).has_value(); }
  Service& service(std::uint32_t number) { return supervisor_.at(*supervisor_.find(name_of(number))); }

  std::optional<std::string> fail(std::string what) {
    if (!failure_) {
      failure_ = std::to_string(std::chrono::duration<double>(loop_.now() - begun_at_).count()) +
                 " s: " + std::move(what);
      say("!! " + *failure_);
    }
    return failure_;
  }
  void say(const std::string& text) const {
    if (journal_ != nullptr)
      std::fprintf(journal_, "%14.9f  %s\n", std::chrono::duration<double>(loop_.now() - begun_at_).count(),
                   text.c_str());
  }
  std::string who_waits() const {
    std::string names = ":";
    loop_.each_task([&names](std::string_view name) { names += " " + std::string(name); });
    return names;
  }

  // What the journal says is what happened.
  void check_journal(const Service& s, State from, State to) {
    const daemon::Journal& journal = supervisor_.journal();
    const daemon::JournalEvent last = journal.at(journal.next() - 1);
    if (last.kind != daemon::EventKind::state || last.service != s.name() || last.from != from ||
        last.to != to || last.at != loop_.now())
      fail("the journal says something else of " + std::string(s.name()));
  }

  void state_changed(const Service& s, State from, State to) override {
    check_journal(s, from, to);
    say(std::string(s.name()) + " " + std::string(daemon::name_of(from)) + " -> " +
        std::string(daemon::name_of(to)) + "  " + daemon::last_error(s));
    if (to == State::starting) {
      if (auto wrong = oracle_.check_start(s)) fail(*wrong);
      const std::string name(s.name());
      if (has_ready_fd(planned(name).readiness))
        probe_of_run_[number_of(name)] = &s.spec().ready.probes.front();
      spawn(listeners_, "listener",
            listen(s.incarnation(), &daemon::Incarnation::started, name + ".started"));
      spawn(listeners_, "listener", listen(s.incarnation(), &daemon::Incarnation::ready, name + ".ready"));
      spawn(listeners_, "listener",
            listen(s.incarnation(), &daemon::Incarnation::stopped, name + ".stopped"));
    }
    oracle_.look_at_regained(s);
    const bool external = s.spec().type == config::ServiceType::external;
    const bool was_lost = external && (s.readiness() == nullptr || s.readiness()->truths() == 0);
    if (to == State::stopping && !s.record().run.exit && !was_lost) {
      if (auto wrong = oracle_.check_stop(s, going_down_)) fail(*wrong);
      // After a hook that had to end first, the edge may be back.
      const bool at_once = planned(s.name()).hooks == 0;
      if (auto wrong = at_once ? oracle_.check_loss(s) : std::nullopt) fail(*wrong);
    }
  }
  void own_bell_rang(const Service& s, std::string_view bell) override {
    say(std::string(s.name()) + " rings " + std::string(bell));
    oracle_.look_at_regained(s);
  }
  void notice(std::string_view service, const std::string& text) override {
    say(std::string(service) + " " + text);
  }

  static bool is_hook(const testing::RunId& id) { return id.command != "./" + id.service; }

  void spawned(const testing::RunId& id) {
    say("spawn " + id.service + " " + id.command);
    if (is_hook(id) && id.command != "./pre_start") return;
    const PlannedService& s = planned(id.service);
    const Service& real = service(s.number);
    if (real.state() != State::starting)
      fail(id.service + " is spawned while " + std::string(daemon::name_of(real.state())));
    // A start begins with its first process: what follows a pre_start is the same start.
    const bool first = is_hook(id) || (s.hooks & 1U) == 0;
    if (auto wrong = first ? oracle_.check_start(real) : std::nullopt) fail(*wrong);
    if (is_hook(id)) return;
    oracle_.look_at_regained(real, true);
    if (s.readiness == Readiness::listen && !resources_.bound().contains(id.service))
      fail(id.service + " runs and its sockets are not bound");
    if (s.readiness == Readiness::notify) {
      if (const auto after = says_ready_after(plan_, s, id.run, calm_)) say_ready_later(s.number, *after);
    } else if (has_ready_fd(s.readiness)) {
      use_ready_fd(s, id.run);
    }
  }
  void say_ready_later(std::uint32_t number, Duration after) {
    voice(number).arm(loop_.now() + after, [this, number] {
      if (is_there(number)) service(number).said({.ready = true});
    });
  }
  // A descriptor belongs to one run: what an earlier one was going to say is not heard in the next.
  void use_ready_fd(const PlannedService& s, std::uint64_t run) {
    const std::uint32_t number = s.number;
    Timer& timer = voice(number);
    timer.cancel();
    if (const auto after = closes_unready_after(plan_, s, run, calm_)) {
      timer.arm(loop_.now() + *after, [this, number] {
        const Error why(Error::Kind::failed, "cannot become ready: it closed its descriptor");
        if (!calm_ && is_there(number) && processes_.alive(name_of(number)))
          service(number).never_heard(probe_of(number), why);
      });
    } else if (const auto ready = says_ready_after(plan_, s, run, calm_)) {
      timer.arm(loop_.now() + *ready, [this, number] {
        if (is_there(number))
          service(number).heard({.kind = config::Probe::Kind::fd, .only = &probe_of(number)});
      });
    }
  }
  // As its run knows it, also when the file says something else by now.
  const config::Probe& probe_of(std::uint32_t number) {
    const auto known = probe_of_run_.find(number);
    return known == probe_of_run_.end() ? service(number).spec().ready.probes.front() : *known->second;
  }
  Timer& voice(std::uint32_t number) {
    auto& timer = voices_[number];
    if (timer == nullptr) timer = std::make_unique<Timer>(loop_);
    return *timer;
  }
  Result<void> try_to_bind(const config::Service& s, std::uint64_t runs) {
    const PlannedService& of = planned(s.name);
    const bool bound = resources_.bound().contains(s.name);
    if (of.readiness != Readiness::listen || bound || !address_is_taken(plan_, of, runs, calm_)) return {};
    return std::unexpected(Error(Error::Kind::failed, "cannot listen: Address already in use"));
  }
  // Bound for whoever runs or is about to; refused for everybody else, so that no client waits for nothing.
  std::optional<std::string> check_sockets() {
    for (const PlannedService& s : current_.services) {
      if (s.readiness != Readiness::listen || !is_there(s.number)) continue;
      const Service& real = service(s.number);
      if (real.record().stuck) continue;  // who cannot be killed has them, too
      const bool bound = resources_.bound().contains(std::string(real.name()));
      if (bound != !daemon::is_settled(real.state()))
        return std::string(real.name()) + " is " + std::string(daemon::name_of(real.state())) +
               (bound ? " and its sockets are bound" : " and its sockets are not bound");
    }
    return std::nullopt;
  }

  Task<void> listen(SharedIncarnation run, Bell<> daemon::Incarnation::* bell, std::string name) {
    Context patience(loop_);
    const Outcome outcome = co_await ((*run).*bell).wait(patience);
    if (outcome.cancelled()) fail("a wait for a bell was cancelled by nobody");
    say(name + (outcome.rung() ? " rang" : " never rings: " + outcome.cause.text()));
  }
  Task<void> run_command(Asked& asked, PlannedEvent event) {
    const std::size_t index = *supervisor_.find(name_of(event.service));
    commands_now_ = std::exchange(last_command_at_, loop_.now()) == loop_.now() ? commands_now_ + 1 : 1;
    oracle_.remember_requests();
    if (!event.only) spawn(requests_, "look", look_at_requests());  // after what the command does at once
    CommandResult result = co_await supervisor_.command(
        *asked.bounded, event.command, index, event.only ? daemon::Manner::alone : daemon::Manner::in_order);
    asked.answered = true;
    asked.bounded.reset();
    say(asked.what + " answered " + status_number(result.outcome) + " " + result.message);
  }
  Task<void> look_at_requests() {
    // What two commands of one moment (after a pause) take away together, neither of them knew.
    if (commands_now_ > 1) co_return;
    if (auto wrong = oracle_.check_requests()) fail(*wrong);
    co_return;
  }
  Task<void> run_wait(Asked& asked, PlannedEvent event) {
    const std::size_t index = *supervisor_.find(name_of(event.service));
    daemon::Level level{.condition = event.condition};
    const Result<void> waited = co_await supervisor_.wait_for(*asked.bounded, index, std::move(level));
    asked.answered = true;
    asked.bounded.reset();
    say(asked.what + (waited ? " holds" : " answered " + waited.error().text()));
  }

  // What was edited since the last one is taken over; the same file touches nothing.
  Task<void> exchange(std::uint32_t which) {
    Context patience(root_);
    const Result<Permit> turn = co_await one_at_a_time_.lock(patience);
    if (going_down_ || !turn) co_return;
    const Plan next = make_neighbour(current_, which);
    daemon::NewStack stack{.stack = make_stack(next), .difference = {}, .warnings = {}};
    stack.difference = config::difference(stack_, supervisor_.specs(), stack.stack);
    if (stack.difference.empty()) {
      say("exchange " + std::to_string(which) + ": nothing has changed");
      co_return;
    }
    if (!stack.difference.refusals().empty()) fail("the neighbour cannot be taken over");
    say("> exchange " + std::to_string(which));
    const auto added = stack.difference.added.size();
    for (const PlannedService& s : next.services) planned_.try_emplace(s.number, s);
    const auto before = runs_of_unchanged(stack);
    const Result<daemon::Touched> touched = co_await supervisor_.exchange(patience, std::move(stack));
    if (!touched) {
      say("exchange " + std::to_string(which) + " given up: " + touched.error().text());
      if (!going_down_) fail("an exchange is given up although the stack stays up");
      co_return;
    }
    plan_by(next);
    oracle_.forget_edges();
    std::string words;
    for (const std::string& name : touched->stops) words += " -" + name;
    for (const std::string& name : touched->starts) words += " +" + name;
    say("exchanged " + std::to_string(which) + ":" + words + " added " + std::to_string(added));
    for (const auto& [name, run] : before) {
      const Service& s = supervisor_.at(*supervisor_.find(name));
      const bool was_touched = std::ranges::find(touched->stops, name) != touched->stops.end();
      if (!was_touched && s.record().cause && s.record().cause.text() == "the file has changed" &&
          s.incarnation() != run)
        fail(name + " was restarted by an exchange that does not concern it");
    }
    const daemon::StackView& view = supervisor_;
    if (view.shown().size() != next.services.size()) fail("not every service of the file is shown");
  }
  std::map<std::string, SharedIncarnation> runs_of_unchanged(const daemon::NewStack& stack) {
    std::map<std::string, SharedIncarnation> runs;
    for (const config::Service& s : stack.stack.services) {
      const bool changed = std::ranges::find(stack.difference.changed, s.name,
                                             &config::ServiceChange::name) != stack.difference.changed.end();
      if (const auto index = supervisor_.find(s.name); index && !changed)
        runs.emplace(s.name, supervisor_.at(*index).incarnation());
    }
    return runs;
  }

  void act(const PlannedEvent& event) {
    if (event.what == PlannedEvent::What::exchange)
      return spawn(requests_, "exchange", exchange(event.service));
    const bool is_of_service = event.what != PlannedEvent::What::pause;
    if (is_of_service && !is_there(event.service)) return;
    const std::string name = is_of_service ? name_of(event.service) : "";
    std::optional<TimePoint> deadline;
    if (event.patience) deadline = loop_.now() + *event.patience;
    switch (event.what) {
      case PlannedEvent::What::command: {
        static constexpr const char* words[] = {"start", "stop", "restart", "kill", "reload"};
        Asked& asked = asked_.emplace_back(root_, deadline,
                                           std::string(words[static_cast<int>(event.command)]) + " " + name);
        say("> " + asked.what);
        spawn(requests_, "command", run_command(asked, event));
        break;
      }
      case PlannedEvent::What::wait: {
        Asked& asked = waits_.emplace_back(root_, deadline, "wait for " + name);
        spawn(requests_, "wait", run_wait(asked, event));
        break;
      }
      case PlannedEvent::What::exit:
        say("> exit " + name);
        processes_.end(name, {.signaled = false, .value = static_cast<int>(event.at.count() % 2)});
        break;
      case PlannedEvent::What::pause:
        say("> pause");
        clock_.advance(*event.patience);
        break;
      case PlannedEvent::What::exchange: break;
      case PlannedEvent::What::reload:
        if (planned(name).readiness != Readiness::notify) break;
        say("> reload " + name);
        service(event.service).said({.reloading = true});
        say_ready_later(event.service, std::chrono::milliseconds(500));
        break;
    }
  }

  void calm_down() {
    say("> from here on everybody behaves");
    calm_ = true;
    for (const PlannedService& s : current_.services) {
      if (!is_there(s.number)) continue;
      if (s.readiness == Readiness::notify) service(s.number).said({.ready = true});
      if (has_ready_fd(s.readiness))
        service(s.number).heard({.kind = config::Probe::Kind::fd, .only = &probe_of(s.number)});
    }
  }
  void expect_everything_up() {
    if (auto wrong = oracle_.check_up()) fail(*wrong);
    for (const Asked& asked : asked_) {
      if (!asked.answered) fail(asked.what + " has not been answered although everybody behaves");
    }
  }

  Task<void> direct(Context& ctx) {
    std::vector<std::string> names;
    names.reserve(plan_.names.size());
    for (const std::uint32_t number : plan_.names) names.push_back(name_of(number));
    supervisor_.begin(names);
    for (const PlannedEvent& event : plan_.events) {
      const Result<void> slept = co_await sleep_until(ctx, begun_at_ + event.at);
      if (slept) act(event);
    }
    if (plan_.calm_at) {
      const Result<void> slept = co_await sleep_until(ctx, begun_at_ + *plan_.calm_at);
      if (slept) calm_down();
    }
    const Result<void> slept = co_await sleep_until(ctx, begun_at_ + plan_.shutdown_at);
    if (slept && plan_.calm_at) expect_everything_up();
    co_await go_down(ctx);
    co_await supervisor_.end();
    finished_ = true;
  }

  Task<void> go_down(Context& ctx) {
    say("> shutdown");
    going_down_ = true;
    const TimePoint deadline = loop_.now() + plan_.budget;
    TimePoint kill_at = plan_.kill_after ? loop_.now() + *plan_.kill_after : TimePoint::max();
    const bool echoes = plan_.kill_after && *plan_.kill_after < daemon::StopRequests::echo_time;
    const TimePoint due = echoes ? deadline : std::min(deadline, kill_at);
    daemon::StopRequests requests;
    requests.take({.number = SIGTERM, .sender = 1}, loop_.now());
    supervisor_.stop_everything(deadline, Error::closed("the stack goes down"));
    Wakeup changed(loop_, "going down");
    supervisor_.watch(changed);
    while (!supervisor_.is_at_rest()) {
      auto moved = on(changed);
      auto impatient = at(loop_, kill_at);
      const std::size_t which = co_await select(ctx, moved, impatient);
      if (which != 1) continue;
      kill_at = TimePoint::max();
      // The same request once more kills nobody.
      if (requests.take({.number = SIGTERM, .sender = 1}, loop_.now()) ==
          daemon::StopRequests::Meaning::echoes)
        continue;
      say("> kill");
      supervisor_.kill_everything(Error::closed("killed"));
    }
    supervisor_.unwatch(changed);
    const auto deaths = static_cast<int>(2 * planned_.size() + 2);
    const Duration noticed = plan_.deaths_are_noticed_late ? deaths * latest_notice : Duration(0);
    if (loop_.now() > due + noticed) fail("the shutdown took longer than its budget");
  }

  void look_at_what_is_left() {
    for (const auto& s : supervisor_.services()) {
      if (s->is_held()) fail(std::string(s->name()) + " is held by somebody at the end");
      if (!daemon::is_settled(s->state()))
        fail(std::string(s->name()) + " is still " + std::string(daemon::name_of(s->state())));
    }
    voices_.clear();
    if (requests_.count() != 0) fail("a request was never answered" + who_waits());
    if (listeners_.count() != 0) fail("a bell has never ended");
    if (loop_.tasks() != 0) fail("tasks are left" + who_waits());
    const bool stuck = supervisor_.has_stuck();  // then its processes are left, and what it was given
    if (processes_.alive() != 0 && !stuck) fail("processes are left");
    if (probes_.checks_running() != 0) fail("probes are left");
    if (!resources_.held().empty() && !stuck)
      fail("something is still provided for " + *resources_.held().begin());
    if (!loop_.timers().empty() && !failure_ && !stuck) fail("timers are left");
  }

  const Plan& plan_;
  std::FILE* journal_;  // null: nobody reads it
  config::Stack stack_;
  Plan current_;
  std::map<std::uint32_t, PlannedService> planned_;
  std::map<std::uint32_t, const config::Probe*> probe_of_run_;
  ManualClock clock_;
  Loop loop_{clock_};
  Context root_{loop_};
  testing::FakeProcesses processes_{loop_};
  testing::FakeResources resources_;
  testing::FakeProbes probes_;
  daemon::Supervisor supervisor_{root_, stack_, processes_, resources_, probes_, *this, plan_.seed};
  Oracle oracle_{supervisor_, processes_, plan_.parallel_starts};
  WaitGroup director_{loop_, "director"};
  WaitGroup requests_{loop_, "requests"};
  WaitGroup listeners_{loop_, "listeners"};
  Mutex one_at_a_time_{loop_, "exchange"};
  std::deque<Asked> asked_;
  std::deque<Asked> waits_;
  std::map<std::uint32_t, std::unique_ptr<Timer>> voices_;
  TimePoint begun_at_{};
  TimePoint last_command_at_{};
  std::size_t commands_now_ = 0;  // in this very moment
  bool calm_ = false;
  bool going_down_ = false;
  bool finished_ = false;
  std::optional<std::string> failure_;
};

}  // namespace

std::optional<std::string> live_through(const Plan& plan, std::FILE* journal) {
  World world(plan, journal);
  return world.live();
}

}  // namespace belfry::simulation
