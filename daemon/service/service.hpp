// One service: its record and the one coroutine that lives its life. It knows nothing of the supervisor, of
// HTTP, or of what its resources are on a real machine.
//
// Read `Service::live` first. It does what the state says until an event leads to another state; what
// follows from what is the table in daemon/state/service_state. All that a life consists of is in `Record`
// (plus what can be made again from it), so that a life could be taken up in the middle.
//
// The contract: nobody but the life itself changes the state. Everything else (a request, an exit, a message,
// a probe) is written down and notifies `attention_`; the life looks at what is so in the coming turn, so it
// does not matter in which order news arrived within one. Of other services it sees what the graph shows, and
// of one that it waits for its bells and its cause.
//
// service.cpp has the chapters, service_edges what it waits for, service_run how a run begins and what an
// event leads to, service_stop its end, service_hooks the commands around it, service_notify what it says,
// service_background daemons that leave their parent, service_diagnosis why a run has failed and what it
// took, service_exchange what a reload makes of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/context.hpp"
#include "channels/task.hpp"
#include "channels/wakeup.hpp"
#include "daemon/service/hook.hpp"
#include "daemon/service/incarnation.hpp"
#include "daemon/service/record.hpp"
#include "daemon/service/service_events.hpp"
#include "daemon/service/service_runtime.hpp"
#include "daemon/service/state_watch.hpp"
#include "daemon/state/counters.hpp"
#include "daemon/state/past_run.hpp"

namespace belfry::probes {
struct PortHolder;
}

namespace belfry::daemon {

class BoundTexts;
struct BoundOutput;

// Views into the run that has published it.
struct PublishedOutput {
  std::string_view key;
  std::string_view value;
  bool secret = false;
};

// Owner: the supervisor.
// Lifecycle: made for the whole life of the daemon; `live` runs in a handshake; one incarnation at a time.
// Cancellation: `stop_asked` is an event of the life; the handshake's context ends the life itself, at rest.
class Service final : public Node,
                      public ServiceEvents,
                      system::ExitWatcher,
                      system::TreeWatcher,
                      ReadinessListener,
                      probes::Publisher,
                      Preparable {
 public:
  Service(ServiceRuntime& runtime, const config::Service& spec, std::uint32_t index);
  ~Service();

  // The life. Ends when `ctx` is cancelled and nothing of it runs.
  Task<void> live(Context& ctx);

  // --- what is asked of it; each takes effect in the coming turn
  // `by_name`: also a run that is ending by itself is followed by another one.
  void request_start(bool by_name = false);
  void request_stop(const StopTerms& terms);
  // It is to run later, by itself, and counts from now on.
  void expect() { record_.wanted = true; }
  void kill_now(const Error& cause);
  // SIGKILL to all that runs of it, a hook included; what comes of it is as after any other exit. False:
  // nothing runs.
  bool kill_processes();
  // To the main process. False: there is none.
  bool signal_main(int signo);
  void reloads_by(pid_t command) { record_.reloader = command; }

  // --- a reload (service_exchange.cpp)
  // What it will be is about to change: it does not begin a run until it is let go.
  void hold_back() { held_back_ = true; }
  void let_go();
  [[nodiscard]] bool is_held_back() const { return held_back_; }
  // It is described by `spec` from now on. Where only what can be applied to a run has changed, a run may go
  // on; else nothing of it runs. Its edges are the graph's to draw.
  // The one that it has now, for as long as somebody may want to go back to it.
  [[nodiscard]] SharedSpec shared_spec() const;
  void adopt(SharedSpec spec, OtherProbes probes = {});
  // When its resources are in place: what belfry listens on for it belongs to it again.
  void take_sockets();
  // It is in no file any more: its life ends at rest, and whoever waits for it is told. What is left of it
  // (a name, and who cannot be killed) is described by `rest`.
  void retire(SharedSpec rest);
  [[nodiscard]] bool is_retired() const { return is_retired_; }
  // What it is described by, for whoever looks at it longer than until the next turn.
  [[nodiscard]] const SharedSpec& description() const { return *described_by_; }

  // Its handle on what the machine gives it; made with the first thing that it is given.
  ServiceResources& resources();

  // Whoever waits for a change of state that has no bell; told for as long as the watch lives.
  void watch(StateWatch& watch) {
    if (!watchers_) watchers_ = std::make_unique<StateWatches>();
    watchers_->push_back(watch);
  }

  // --- ServiceEvents
  void said(const NotifyMessage& message) override;
  void refused(NotifyRefusal why) override;
  void descriptors_stored(std::uint32_t held) override { tally_->descriptors_stored = held; }
  void descriptors_refused(std::size_t how_many) override { tally_->descriptors_refused += how_many; }
  void main_process_is(pid_t pid) override;
  void main_ended(pid_t pid, std::optional<system::ExitStatus> status) override;
  void heard(const Heard& what) override;
  void never_heard(const config::Probe& which, const Error& why) override;
  void publish(std::string_view key, std::string_view value) override;
  void publish_anew(std::vector<std::pair<std::string, std::string>> all) override;
  void sockets_changed() override;
  void lines_dropped(std::uint64_t lines) override { counters_->log_lines_dropped += lines; }
  [[nodiscard]] RunFacts facts() const override;

  // --- what is so
  [[nodiscard]] const Record& record() const { return record_; }
  [[nodiscard]] const SharedIncarnation& incarnation() const { return now_; }
  // Rests because somebody wanted it to: nothing brings it back but a start.
  [[nodiscard]] bool was_stopped() const { return record_.stopped_by_command || record_.stopped_by_loss; }
  [[nodiscard]] const ServiceCounters& counters() const { return *counters_; }
  [[nodiscard]] const ServiceTimes* times() const { return times_.get(); }  // null: nothing observed yet
  [[nodiscard]] const NotifyTally& tally() const { return *tally_; }
  [[nodiscard]] const Readiness* readiness() const { return readiness_.get(); }  // null: it has never run
  // The last ones that are over, the oldest first.
  [[nodiscard]] const PastRuns& past_runs() const { return *past_runs_; }
  [[nodiscard]] std::unique_ptr<KeptEvidence> take_evidence() {
    return readiness_ ? readiness_->take_evidence() : nullptr;
  }
  [[nodiscard]] pid_t main_pid() const { return record_.run.main != 0 ? record_.run.main : record_.run.pid; }
  [[nodiscard]] std::string_view marker() const { return *marker_; }
  // How to recognise its processes.
  [[nodiscard]] system::TreeId tree() const;
  [[nodiscard]] std::vector<system::Survivor> survivors() const {
    return runtime_.processes.survivors(tree());
  }
  // Why nobody can say how it is at the moment, though its levels stay; empty: somebody can.
  [[nodiscard]] Error doubt() const { return readiness_ ? readiness_->doubt() : Error(); }
  // Those by whom it would start, and who have not said yet how they are now.
  [[nodiscard]] std::vector<const Service*> awaited_news() const;
  // What the current run has published.
  [[nodiscard]] std::vector<PublishedOutput> outputs() const;
  // With the outputs of others that this run uses in their places; and what the environment takes of them.
  [[nodiscard]] config::Command bound(const config::Command& command) const;
  void add_outputs_to(system::Launch& launch) const;
  // Without secrets that it was given.
  [[nodiscard]] Error shown(const Error& error) const;
  // Of its own output, without those and without what it publishes as a secret.
  [[nodiscard]] std::string shown_line(std::string_view line) const;
  // Of the whole start, and of a reload.
  [[nodiscard]] std::optional<Duration> ready_timeout() const;
  // When the start of its current run has failed, if it goes on like this; max(): never.
  [[nodiscard]] TimePoint start_deadline() const;
  // The hook that runs now.
  [[nodiscard]] std::optional<Hook> hook() const {
    return hook_ ? std::optional(hook_->which()) : std::nullopt;
  }
  [[nodiscard]] const StartSlots& start_slots() const { return runtime_.start_slots; }
  [[nodiscard]] Moment moment() const {
    return {.at = runtime_.loop.now(), .paused = runtime_.loop.paused()};
  }

 private:
  // Not a time: somebody below has died, and what follows from it is known in a moment.
  static constexpr TimePoint somebody_has_died = TimePoint::min();

  // --- the chapters of a life, one per kind of state
  Task<void> next_chapter(Context& ctx);
  Task<void> rest(Context& ctx);
  Task<void> wait_for_edges(Context& ctx);
  Task<void> start(Context& ctx);
  Task<void> stay_up(Context& ctx);
  Task<void> stop(Context& ctx);
  Task<void> back_off(Context& ctx);
  // Until somebody calls, the bell ends, or the deadline comes.
  Task<void> news(Context& ctx, Bell<>* bell = nullptr, TimePoint deadline = TimePoint::max());
  void enter(Event event, Error cause = {});
  void broke(const Error& error, int times);
  void kill_whatever_happens() noexcept;

  // --- edges (service_edges.cpp)
  // What has become of the wait for them: when to look again at the latest, or nothing when it is over.
  [[nodiscard]] std::optional<TimePoint> look_at_edges();
  Task<void> until_deaths_are_told(Context& ctx);
  [[nodiscard]] bool knows_its_edges() const;
  void ask_others();
  TimePoint look_after_losses();
  void prepare_if_next();
  void tell_dependents(bool bell_rang) { runtime_.graph.tell_dependents(*this, bell_rang); }
  [[nodiscard]] bool must_stop() const;

  // --- a run (service_run.cpp)
  Result<void> prepare();
  void open_run(Context& ctx);
  bool begin_run();
  bool clone();
  void became_ready();
  [[nodiscard]] probes::ProbeContext about_probes();
  void refuse_start(const Error& cause);
  void put_start_off(const Error& cause);
  [[nodiscard]] bool left_by_pre_start() const;
  [[nodiscard]] bool all_true() const;
  void start_took_too_long();
  void leave_running(Event why, Error cause);
  void leave_as_asked();
  void settle_bells(const Error& cause);
  void fresh_incarnation();

  // --- outputs (service_outputs.cpp)
  void take_outputs(const NotifyMessage& message);
  void fix_outputs(bool last);
  [[nodiscard]] bool writes_outputs() const;
  void read_outputs();
  [[nodiscard]] bool uses_outputs() const;
  [[nodiscard]] const Outputs::Output* output_of(const config::OutputReference& reference) const;
  [[nodiscard]] Result<void> bind_outputs();
  [[nodiscard]] bool has_other_outputs() const { return changed_output(std::nullopt) != nullptr; }
  // One that it uses, by this edge or any, and that is not what it was at the start; null: all are.
  [[nodiscard]] const BoundOutput* changed_output(std::optional<std::size_t> edge) const;
  void say_that_outputs_changed();

  // --- a reload (service_exchange.cpp)
  [[nodiscard]] bool has_ended_for_good() const {
    return is_retired_ && is_settled(record_.state) && record_.state != State::blocked;
  }
  void describe_anew(SharedSpec spec);
  void leave_handle();
  void drop_handle();
  void adopt_at_rest(const config::Service& before);
  void ask_anew(OtherProbes probes);
  void renew_old_handle();

  // --- its hooks (service_hooks.cpp)
  [[nodiscard]] bool has(Hook which) const { return command_of(spec(), which) != nullptr; }
  // Runs one to its end; true when it exited with 0.
  Task<bool> run_hook(Context& ctx, Hook which);
  [[nodiscard]] Result<system::OwnedFd> prepare_hook(Hook which, system::Launch& launch);
  [[nodiscard]] TimePoint hook_deadline(Hook which, TimePoint began) const;
  [[nodiscard]] bool is_pointless(Hook which) const;

  // --- its end (service_stop.cpp)
  void take_back();
  Task<void> withdraw(Context& ctx);
  [[nodiscard]] bool may_take_leave() const;
  void ask_main_process();
  Task<void> end_probes();
  bool kill_tree();
  [[nodiscard]] bool give_up_killing(TimePoint killed_at);
  void be_stuck(const Error& cause);
  void ask_what_it_left();
  [[nodiscard]] Error last_run_is_stuck() const;
  void give_back();
  void end_run();
  [[nodiscard]] Event verdict();
  void it_ended(system::ExitStatus status);

  // --- why it ended, and what it took (service_diagnosis.cpp)
  void take_facts_of_end(pid_t pid, system::ExitStatus& status);
  Task<void> look_for_cause();
  [[nodiscard]] bool failed_by_itself() const;
  [[nodiscard]] Error with_last_words(const Error& error);
  [[nodiscard]] std::string why_forbidden(const std::vector<std::uint16_t>& ports) const;
  Task<std::string> why_taken(std::vector<std::uint16_t> named);
  Task<std::string> who_has_declared_port();
  void note_holder(const probes::PortHolder& holder, std::uint16_t port);
  [[nodiscard]] std::string whose(const probes::PortHolder& holder, std::uint16_t port) const;
  void keep_account();

  // --- a daemon that goes to the background by itself (service_background.cpp)
  [[nodiscard]] bool goes_on_in_background(const system::ExitStatus& status);
  void find_main_process();
  [[nodiscard]] TimePoint look_for_main_process();
  void background_is_gone();
  [[nodiscard]] bool has_main_process() const;

  // --- what it says (service_notify.cpp)
  void said_ready(pid_t sender);
  TimePoint look_at_what_was_said();
  void expire_watchdog(std::string why);
  [[nodiscard]] Error why_unready() const;

  // `timeout` after `from`, moved by how long belfry has stood still since it entered its state.
  [[nodiscard]] TimePoint due_after(TimePoint from, Duration timeout) const {
    return Moment{.at = from, .paused = record_.paused_before_since}.plus(timeout, moment());
  }

  // Node
  [[nodiscard]] bool own_level(config::Condition condition, std::string_view bell) const override;
  [[nodiscard]] bool process_has_died() const override;
  [[nodiscard]] TimePoint known_as_of() const override;
  void look_afresh() override;
  void dependency_changed(bool bell_rang) override;
  void level_changed() override;
  void look_again() override { attention_.notify(); }
  // system::ExitWatcher, system::TreeWatcher, ReadinessListener, Preparable
  void on_exit(pid_t pid, system::ExitStatus status) override;
  void on_tree_empty(pid_t leader) override;
  void readiness_changed() override { attention_.notify(); }
  void live_failed(const Error& why, bool for_good) override;
  void own_bell_true(std::uint32_t bell, const Evidence& evidence) override;
  void probe_tried(const ProbeAttempt& attempt) override;
  ServiceTimes& observed();
  void prepare_ahead() override;

  ServiceRuntime& runtime_;
  bool asked_to_prepare_ = false;
  bool said_that_outputs_changed_ = false;
  bool was_told_ = false;  // others may have read that it is ready, and it was taken back
  TimePoint edges_hold_since_ = TimePoint::max();  // in the wait for them; max: they do not
  bool held_back_ = false;
  bool is_retired_ = false;
  bool handle_is_old_ = false;  // it goes by an earlier description
  bool all_heard_ = false;      // what was said and written in this run, and nobody is left to say more
  Record record_;
  Wakeup attention_;
  SharedIncarnation now_;
  std::unique_ptr<StateWatches> watchers_;  // null: nobody ever has
  // Each handle goes before the description that it was made by.
  struct LeftHandle {
    SharedSpec spec;
    std::unique_ptr<ServiceResources> handle;
  };
  config::Rarely<SharedSpec> described_by_;
  config::Rarely<SharedSpec> handle_from_;
  std::unique_ptr<ServiceResources> resources_;
  std::vector<LeftHandle> left_handles_;    // of earlier ones; something may be left in them
  std::unique_ptr<system::Launch> launch_;  // what the next run needs is made
  std::unique_ptr<BoundTexts> bound_;       // null: it uses no outputs of others
  std::unique_ptr<Readiness> readiness_;
  std::unique_ptr<HookRun> hook_;  // null: none runs
  std::unique_ptr<ServiceTimes> times_;
  // Since when each edge is lost, while `loss_after` debounces; empty: none is.
  config::Rarely<std::vector<OptionalMoment>> lost_since_;
  config::Rarely<std::string> marker_;  // of the current run: "shop/db#3"
  Error refusal_;                       // found out while it prepared: the start can't work
  config::Rarely<ServiceCounters> counters_;
  config::Rarely<NotifyTally> tally_;
  config::Rarely<PastRuns> past_runs_;
};

// Every node of the daemon's graph is a service.
[[nodiscard]] inline Service& service_of(Node& node) { return static_cast<Service&>(node); }
[[nodiscard]] inline const Service& service_of(const Node& node) { return static_cast<const Service&>(node); }

}  // namespace belfry::daemon
