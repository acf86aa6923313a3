// Owns the services and knows the stack as a whole: what is wanted, whether all of it is ready, whether
// anything can still run, and in which order it goes down.
//
// All state is touched from the loop's thread only; requests are methods that return at once or tasks
// that wait for what they asked (ideas 8 and 14).
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "channels/bell.hpp"
#include "channels/wait_group.hpp"
#include "daemon/journal/journal.hpp"
#include "daemon/journal/timeline.hpp"
#include "daemon/service/service.hpp"
#include "daemon/supervisor/long_waits.hpp"
#include "daemon/supervisor/new_stack.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::system {
class TimeOfDay;
}

namespace belfry::daemon {

class Schedules;

// Why the stack comes to its end by itself, and with which exit code.
struct Ending {
  int code = 0;
  std::string reason;  // "main service web exited with code 3"
};

// What the supervisor has to say to whoever runs belfry.
class Reporter {
 public:
  virtual void state_changed(const Service& service, State from, State to) = 0;
  virtual void own_bell_rang(const Service&, std::string_view /*bell*/) {}
  virtual void notice(std::string_view service, const std::string& text) = 0;
  // A service says that its start or stop takes so much longer.
  virtual void asked_for_time(const Service&, Duration) {}

 protected:
  ~Reporter() = default;
};

// Owner: the daemon, or a simulation.
// Lifecycle: constructed with the whole graph; begin(); stop_everything(); is_at_rest(); end(). Destroyed
//   after end() has returned, or after the loop was abandoned.
// Cancellation: stop_everything() is the graceful way; kill_everything() the other one.
class Supervisor final : public StackView, StateListener, RandomSource {
 public:
  // Everything that it waits for hangs below `parent`.
  Supervisor(Context& parent, const config::Stack& stack, system::Processes& processes,
             ResourceProvider& resources, probes::Factory& probes, Reporter& reporter, std::uint64_t seed);
  ~Supervisor() override;
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Starts these services and all they require; empty: everything that is enabled.
  void begin(const std::vector<std::string>& names);
  // Somebody uses the stack, and decides about its end: that all work is done does not end it, a failure
  // does.
  void stay_up_when_done() { ends_when_done_ = false; }
  // From now on /readyz says no, so that load balancers notice before anything stops.
  void begin_shutdown() { shutting_down_ = true; }
  // Asks everything to stop, in reverse order, within one budget that ends at `deadline`.
  void stop_everything(TimePoint deadline, const Error& cause);
  void kill_everything(const Error& cause);
  // Nothing runs, waits or will start any more.
  [[nodiscard]] bool is_at_rest() const { return unsettled_ == 0; }
  // Somebody rests whose last run could not be killed.
  [[nodiscard]] bool has_stuck() const;
  // Ends the lives themselves. Precondition: at rest.
  Task<void> end();

  // Before begin(): who is told before a published service stops, and outlives this.
  void announce_by(Announcer& announcer) { runtime_.announcer = &announcer; }

  // The same: by whose time of day oneshots run. Nobody: by one that is never set.
  void tell_time_by(system::TimeOfDay& time);

  // Who waits may not ring, and who rings may not wait (idea 12).
  [[nodiscard]] Listener<> up() { return up_.listener(); }  // the first start has completed
  [[nodiscard]] Listener<Ending> ending() { return ending_.listener(); }
  [[nodiscard]] Ringer<Ending> ender() { return ending_.ringer(); }
  // Told on every change of state of any service.
  void watch(Wakeup& wakeup) { watchers_.push_back(&wakeup); }
  void unwatch(Wakeup& wakeup) { std::erase(watchers_, &wakeup); }

  // What has happened in this run, and what readers of it wait for.
  [[nodiscard]] Journal& journal() { return journal_; }
  [[nodiscard]] const Timeline& times_of_start() const { return timeline_; }

  [[nodiscard]] Service& at(std::size_t index) { return *services_[index]; }
  [[nodiscard]] const Service& at(std::size_t index) const { return *services_[index]; }
  [[nodiscard]] const std::vector<std::unique_ptr<Service>>& services() const { return services_; }
  [[nodiscard]] std::size_t running() const { return running_; }
  // What services have published, secrets included, as variables: BELFRY_OUT_DB_PORT. `ambiguous`: those
  // that are not set because several outputs would be the same one, for people.
  [[nodiscard]] OutputList output_variables(std::vector<std::string>& ambiguous) const;
  // Somebody is on his way up or down.
  [[nodiscard]] bool is_waiting() const { return (begun_ && unready_ != 0) || stopping_ != 0; }
  // Who that is, and why, at most `most` of them; who only waits for others is left out.
  [[nodiscard]] Waits long_waits(std::size_t most) const;

  // --- a reload (exchange.cpp, exchange_plan.cpp)
  // The descriptions that the services go by, in the order of the file; until the next turn.
  [[nodiscard]] std::vector<const config::Service*> specs() const;
  // Whom the exchange would touch, as things are now.
  [[nodiscard]] Touched whom_it_touches(const NewStack& next) const;
  // Looks up and binds what can be before anything is touched. The error: why it cannot be.
  Result<void> admit(const NewStack& next);
  // Stops what cannot go on as it is, takes the new stack over in one turn, and starts what there is to
  // start. The error, of kind closed or of `ctx`: the stack went down meanwhile, and is still the old one.
  // Precondition: no other exchange is on its way.
  Task<Result<Touched>> exchange(Context& ctx, NewStack next);
  // Until these have come up: which of them have not, and why. The error: the cause of `ctx`.
  Task<Result<std::string>> until_all_up(Context& ctx, std::vector<std::string> names);

  // --- StackView
  [[nodiscard]] std::string_view stack_name() const override { return runtime_.stack_name; }
  [[nodiscard]] std::size_t service_count() const override { return services_.size(); }
  [[nodiscard]] std::vector<std::size_t> shown() const override { return {shown_.begin(), shown_.end()}; }
  [[nodiscard]] ServiceView service(std::size_t index) const override;
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const override;
  [[nodiscard]] const ServiceTimes* times(std::size_t index) const override {
    return services_[index]->times();
  }
  [[nodiscard]] const PastRuns& past_runs(std::size_t index) const override {
    return services_[index]->past_runs();
  }
  [[nodiscard]] bool stack_ready() const override { return begun_ && unready_ == 0 && !shutting_down_; }
  [[nodiscard]] bool started_up() const override { return up_.rung(); }
  [[nodiscard]] bool shutting_down() const override { return shutting_down_; }
  [[nodiscard]] TimePoint now() const override { return loop_.now(); }
  // A wanted service is settled and not ready, or fails again and again and was never ready.
  [[nodiscard]] std::optional<std::string> start_is_hopeless() const override;
  [[nodiscard]] std::vector<SourceFile> sources() const override { return sources_; }
  void set_sources(std::vector<SourceFile> files) { sources_ = std::move(files); }
  [[nodiscard]] TimelineView timeline(std::size_t index) const override;
  [[nodiscard]] StartView start() const override;
  [[nodiscard]] StackFacts why_facts(std::optional<std::size_t> service) const override;
  Task<Result<void>> wait_for(Context& ctx, std::size_t service, Level level) override;
  Task<CommandResult> command(Context& ctx, ServiceCommand command, std::size_t service,
                              Manner manner) override;
  void request_shutdown(std::string_view reason) override;

 private:
  void state_changed(Service& service, State from, State to) override;
  void started(Service& service) override;
  void own_bell_rang(Service& service, std::uint32_t bell, const Evidence& evidence) override;
  void notice(Service& service, const std::string& text) override;
  void must_go_down(Service& service, const Error& why) override;
  void asked_for_time(Service& service, Duration by) override { reporter_.asked_for_time(service, by); }
  double random() override;

  void write_down(Service& service, State from, State to);
  void write_down_edges(const Service& service);
  void write_down_of_stack(std::string_view what, const Error& cause = {});
  void has_come_up();
  void count_health(Service& service);
  void look_whether_up();
  [[nodiscard]] bool nobody_died_unnoticed() const;
  void look_for_the_end(Service& service, State to);
  void look_at_essentials();
  void end_when_nothing_can_run();
  [[nodiscard]] std::vector<Service*> meant_by(Service& service, bool with_itself) const;
  struct Stops;
  [[nodiscard]] bool is_rolled(const NewStack& next, const config::ServiceChange& change) const;
  [[nodiscard]] Stops who_stops(const NewStack& next) const;
  [[nodiscard]] Stops who_stops_by_graph(const NewStack& next) const;
  void count_gates_by(const NewStack& next) const;
  void count_gates_as_drawn() const;
  [[nodiscard]] std::vector<std::uint32_t> who_starts(const NewStack& next) const;
  std::vector<Service*> begin_stops(const NewStack& next);
  Task<Result<void>> until_at_rest(Context& ctx, Service& service);
  void let_all_go();
  void swap(NewStack& next);
  void take_schedules(const std::vector<bool>& wanted);
  std::vector<std::uint32_t> make_added(NewStack& next);
  void describe_changed(NewStack& next, const std::vector<std::uint32_t>& slots);
  void put_in_order(const std::vector<std::uint32_t>& slots);
  void stop_who_depends_now();
  void count_anew();
  Task<CommandResult> start(Context& ctx, Service& service, bool only);
  Task<CommandResult> kill(Context& ctx, Service& service);
  Task<CommandResult> stop(Context& ctx, Service& service, Intent intent, bool only);
  Task<CommandResult> roll(Context& ctx, Service& service);
  // A replica that goes on by its old description while the others are replaced.
  struct Rolled {
    Service* service = nullptr;
    SharedSpec before;
    SharedIncarnation run;
  };
  Task<std::string> roll_replaced(Context& ctx);
  Task<std::string> roll_one_by_one(Context& ctx, std::vector<Rolled> all);
  Task<Result<void>> restart_in_turn(Context& ctx, std::vector<Service*> replicas, std::size_t& begun);
  Task<Result<void>> restart_together(Context& ctx, std::vector<Service*> replicas);
  Task<Result<void>> until_up_or_broken(Context& ctx, Service& service);
  void describe_again(std::vector<Rolled> all);
  Task<Result<void>> leave_of_other_hosts(Context& ctx, std::function<std::vector<Node*>()> going);
  [[nodiscard]] std::vector<const Service*> counted_on_elsewhere(const std::vector<Node*>& going) const;
  Task<CommandResult> reload(Context& ctx, Service& service);
  void request_start_of_all(Service& service, CommandResult& result);
  Task<Result<void>> until_gone(Context& ctx, Service& service, SharedIncarnation run,
                                std::uint64_t asked_in);
  Task<Result<void>> wait_until_not(Context& ctx, Service& service, Level level);
  Task<Result<void>> until_up(Context& ctx, Service& service);
  // It settles, and does not stay so: its time will come.
  [[nodiscard]] bool waits_for_its_time(const Service& service) const;

  Loop& loop_;
  std::vector<SourceFile> sources_;
  Reporter& reporter_;
  Journal journal_;
  Timeline timeline_;
  Semaphore probe_slots_;
  StartSlots start_slots_;
  Preparations preparations_;
  DependencyGraph graph_;
  ServiceRuntime runtime_;
  std::mt19937_64 random_;
  Context lives_context_;
  std::vector<std::unique_ptr<Service>> services_;
  std::vector<const Service*> essentials_;
  std::vector<std::uint32_t> shown_;    // those that are in the file, in its order
  std::vector<std::uint32_t> by_name_;  // the same, sorted
  std::vector<std::string> names_;      // of the command line; empty: all that are enabled
  std::vector<Wakeup*> watchers_;
  std::vector<bool> counted_unready_;
  std::size_t unready_ = 0;    // wanted services whose level does not hold
  std::size_t unsettled_ = 0;  // services that something may still happen to by itself
  std::size_t stopping_ = 0;   // services in that state
  std::size_t running_ = 0;    // services with a process, or playing the part of one
  std::size_t active_ = 0;     // services with a command that run or may still run by themselves
  bool begun_ = false;
  bool ends_when_done_ = true;
  bool shutting_down_ = false;
  bool killing_ = false;
  bool end_check_pending_ = false;
  bool exchanging_ = false;
  std::vector<Rolled> rolled_;  // by the exchange that is on its way
  Bell<> up_;
  Bell<Ending> ending_;
  std::unique_ptr<Schedules> schedules_;  // of oneshots that run by themselves
  Timer up_again_;                        // somebody has died, and nobody was told of it yet
  WaitGroup lives_;
};

}  // namespace belfry::daemon
