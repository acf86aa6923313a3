// One service: its record, its edges, and the one coroutine that lives its life.
//
// Read `Service::live` first. It does what the state says until an event leads to another state; what
// follows from what is the table in service_state.cpp. All that a life consists of is in `Record` (plus
// what can be made again from it), so that a life could be taken up in the middle.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/context.hpp"
#include "channels/handshake.hpp"
#include "channels/semaphore.hpp"
#include "channels/task.hpp"
#include "channels/wakeup.hpp"
#include "daemon/service/counters.hpp"
#include "daemon/service/edge.hpp"
#include "daemon/service/incarnation.hpp"
#include "daemon/service/notify_state.hpp"
#include "daemon/service/own_bells.hpp"
#include "daemon/service/preparations.hpp"
#include "daemon/service/probe_watch.hpp"
#include "daemon/service/provisions.hpp"
#include "daemon/service/record.hpp"
#include "daemon/service/start_slots.hpp"
#include "daemon/service/state_watch.hpp"
#include "probes/factory.hpp"
#include "system/processes.hpp"

namespace belfry::daemon {

// Told of every change of state, after it.
class StateListener {
 public:
  virtual void state_changed(Service& service, State from, State to, Event why) = 0;
  virtual void own_bell_rang(Service& service, std::uint32_t bell) = 0;
  // Something an operator should read: who had to be killed, what could not be prepared.
  virtual void notice(Service& service, const std::string& text) = 0;
  // It says that its current phase takes so much longer (EXTEND_TIMEOUT_USEC).
  virtual void asked_for_time(Service& service, Duration by) = 0;
  // A random number in [0, 1): back-off and periodic probes spread by it.
  virtual double random() = 0;

 protected:
  ~StateListener() = default;
};

// What all services share. Owner: the supervisor.
struct ServiceRuntime {
  std::string_view stack_name;
  Loop& loop;
  system::Processes& processes;
  Provisions& provisions;
  probes::Factory& probes;
  Semaphore& probe_slots;
  StartSlots& start_slots;
  Preparations& preparations;
  StateListener& listener;
  std::uint64_t moments = 0;  // starts and requests so far
  bool going_down = false;    // everything is asked to stop; nothing starts any more
};

// Owner: the supervisor.
// Lifecycle: made for the whole life of the daemon; `live` runs in a handshake; one incarnation at a time.
// Cancellation: `stop_asked` is an event of the life; the handshake's context ends the life itself, at rest.
class Service final : system::ExitWatcher,
                      system::TreeWatcher,
                      ProbeListener,
                      OwnBellListener,
                      Preparable,
                      probes::LaunchTemplate {
 public:
  Service(ServiceRuntime& runtime, const config::Service& spec, std::uint32_t index);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  void expect(std::size_t edges) { edges_.reserve(edges); }
  void depend_on(Service& other, const config::Dependency& dependency);

  // The life. Ends when `ctx` is cancelled and nothing of it runs.
  Task<void> live(Context& ctx);

  // --- what is asked of it; each takes effect in the coming turn
  // `by_name`: also a run that is ending by itself is followed by another one.
  void request_start(bool by_name = false);
  void request_stop(const StopTerms& terms);
  void kill_now(const Error& cause);
  // SIGKILL to all that runs of it, a hook included; what comes of it is as after any other exit. False:
  // nothing runs.
  bool kill_processes();
  // Its processes, when belfry may signal none of them; empty: it may.
  [[nodiscard]] std::string who_may_not_be_signalled() const;

  // Everything goes: from now on everything above, running or done, is waited for. Once, of what runs.
  void hold_everything_below() { count_holding(true); }

  // Something happened to it that makes every probe of this kind true (READY=1 makes `notify` true), or just
  // one of the file's, and is a reason to ask the others at once. Counts in the run that is on its way to be
  // ready.
  void heard(const Heard& what);
  // The ready descriptor was closed in silence: the last error of an `s6` one, a failed start for `dinit`.
  void never_heard(const config::Probe& which, const Error& why);
  // --- what it says of itself (daemon/notify/router); in service_notify.cpp. Each counts in the run that is
  // there, and says nothing of the next
  void said_ready();
  void said_status(std::string text);
  void said_reloading(std::optional<TimePoint> began_at = std::nullopt);
  void said_stopping();
  void said_error(std::optional<int> errnum, std::optional<int> exit_status);
  void said_watchdog(WatchdogPing what);
  void said_watchdog_interval(Duration interval);
  void said_extend_timeout(Duration by);
  void said_main_pid(pid_t pid);  // 0: the process that was started
  void main_ended(pid_t pid, std::optional<system::ExitStatus> status);
  void refuse_message(NotifyRefusal why);
  [[nodiscard]] NotifyTally& notify_tally();
  // It has called listen(2), or bound a UDP socket, and may be what a probe waits for.
  void was_heard();
  // It has said something, whatever it was.
  void gave_a_sign();
  void count_dropped_lines(std::uint64_t lines) { counters_->log_lines_dropped += lines; }

  // --- what is so
  [[nodiscard]] std::string_view name() const { return spec_.name; }
  [[nodiscard]] const config::Service& spec() const { return spec_; }
  [[nodiscard]] std::uint32_t index() const { return index_; }
  [[nodiscard]] State state() const { return record_.state; }
  [[nodiscard]] const Record& record() const { return record_; }
  [[nodiscard]] const std::vector<Edge>& edges() const { return edges_; }
  [[nodiscard]] const std::vector<Service*>& dependents() const { return dependents_; }
  [[nodiscard]] const SharedIncarnation& incarnation() const { return now_; }
  [[nodiscard]] bool level(config::Condition condition, std::string_view bell = {}) const;
  // Its process is dead, or too few of a gate's members are alive, though the state does not say so yet. A
  // level that lets somebody start is only good together with "not this"; the state follows in a turn.
  [[nodiscard]] bool has_died_unnoticed() const;
  // A stop has been announced, or is on its way.
  [[nodiscard]] bool is_leaving() const {
    return record_.intent != Intent::run || record_.state == State::stopping;
  }
  [[nodiscard]] bool default_level() const;  // what /readyz asks: ready, for a oneshot completed
  // Rests because somebody wanted it to: nothing brings it back but a start.
  [[nodiscard]] bool was_stopped() const { return record_.stopped_by_command || record_.stopped_by_loss; }
  // Everything goes, and somebody above it still runs.
  [[nodiscard]] bool is_held() const { return holders_ != 0; }
  [[nodiscard]] bool ready_means_completed() const;
  // All it needed of `other` was work that is done.
  [[nodiscard]] bool is_done_with(const Service& other) const;
  // Of a gate: how many of its members hold; those that an edge of this condition asks for.
  [[nodiscard]] std::size_t members_that_hold(config::Condition condition = config::Condition::ready,
                                              std::string_view bell = {}) const;
  [[nodiscard]] std::size_t members_needed() const;
  [[nodiscard]] bool has_rung(std::size_t own_bell) const { return (record_.rung >> own_bell & 1U) != 0; }
  [[nodiscard]] std::vector<std::string> waiting_for() const;
  [[nodiscard]] const ServiceCounters& counters() const { return *counters_; }
  [[nodiscard]] const ServiceTimes* times() const { return times_.get(); }
  [[nodiscard]] const std::string& status_text() const;
  [[nodiscard]] NotifyTally tally() const { return notify_state_ ? notify_state_->tally : NotifyTally{}; }
  [[nodiscard]] pid_t main_pid() const { return record_.main != 0 ? record_.main : record_.pid; }
  [[nodiscard]] std::string_view marker() const { return *marker_; }
  // Of the whole start, and of a reload.
  [[nodiscard]] std::optional<Duration> ready_timeout() const;
  void reloads_by(pid_t command) { record_.reloader = command; }
  // To the main process. False: there is none.
  bool signal_main(int signo);
  [[nodiscard]] std::string_view readiness_kind() const;  // of the first probe; empty: none
  [[nodiscard]] std::string readiness_method() const;
  [[nodiscard]] std::string readiness_polling() const { return readiness_ ? readiness_->polling() : ""; }
  [[nodiscard]] std::string last_error() const;
  // "api (starting 33 s): nobody listens on port 8080", "db to stop (12 s): 4711 postgres; killed in 8 s".
  [[nodiscard]] std::string wait_text() const;
  [[nodiscard]] system::TreeId tree() const;
  [[nodiscard]] bool is_transparent() const;
  [[nodiscard]] bool cleans_up() const { return has(Hook::post_stop); }
  // How long a stop may take in all.
  [[nodiscard]] Duration stop_allowance() const {
    return saturating_multiply(spec_.stop.timeout, cleans_up() ? 2 : 1);
  }

  // Whoever waits for a change of state that has no bell; told for as long as the watch lives.
  void watch(StateWatch& watch) {
    if (!watchers_) watchers_ = std::make_unique<StateWatches>();
    watchers_->push_back(watch);
  }

 private:
  // --- the chapters of a life, one per kind of state
  Task<void> next_chapter(Context& ctx);
  Task<void> rest(Context& ctx);
  Task<void> wait_for_edges(Context& ctx);
  Task<void> start(Context& ctx);
  Task<void> run(Context& ctx);
  Task<void> stop(Context& ctx);
  Task<void> back_off(Context& ctx);
  enum class Hook : std::uint8_t { pre_start, post_start, pre_stop, post_stop };
  // Runs one of its hooks to its end; true when it exited with 0 (service_hooks.cpp).
  Task<bool> run_hook(Context& ctx, Hook which);
  // Until somebody calls, the bell ends, or the deadline comes.
  Task<void> news(Context& ctx, Bell<>* bell = nullptr, TimePoint deadline = TimePoint::max());

  // --- edges
  // What has become of the wait for them: when to look again at the latest, or nothing when it is over.
  [[nodiscard]] std::optional<TimePoint> look_at_edges();
  Task<void> until_deaths_are_told(Context& ctx);
  [[nodiscard]] bool edges_hold() const;
  [[nodiscard]] bool stands_on_dead() const;
  [[nodiscard]] bool has_lost_members_unnoticed() const;
  [[nodiscard]] Bell<>* bell_to_wait_for(SharedIncarnation& awaited) const;
  [[nodiscard]] Error waited_too_long() const;
  void prepare_if_next();
  [[nodiscard]] const Edge* first_missing_edge() const;
  [[nodiscard]] std::optional<Error> hopeless_cause() const;
  [[nodiscard]] TimePoint edge_deadline() const;
  void dependency_changed(bool bell_rang);
  void tell_dependents(bool bell_rang);
  void tell_watchers() const;
  TimePoint look_after_losses();
  void count_holding(bool holds);
  [[nodiscard]] bool is_awaiting_others() const;
  [[nodiscard]] bool has_on_top(std::uint64_t before) const;
  void make_way();

  // --- starting and stopping
  Result<void> prepare();
  void open_run();
  bool begin_run();
  bool clone();
  void watch_own_bells();
  [[nodiscard]] const config::Command* command_of(Hook which) const;
  [[nodiscard]] bool has(Hook which) const { return command_of(which) != nullptr; }
  [[nodiscard]] TimePoint hook_deadline(Hook which, TimePoint began) const;
  [[nodiscard]] bool is_pointless(Hook which) const;
  void hook_failed(Hook which);
  void let_go_of_hook(const std::string& what);
  [[nodiscard]] std::unique_ptr<ProbeWatch> watch_probes(const config::ProbeSet& set, ProbeRole role);
  [[nodiscard]] bool left_by_pre_start() const;
  void refuse_start(const Error& cause);
  void start_did_not_work(const system::SpawnError& error);
  void put_start_off(const Error& cause);
  [[nodiscard]] bool all_true() const;
  [[nodiscard]] std::string missing_news() const;
  [[nodiscard]] const std::vector<config::OwnBell>* own_bell_specs() const;
  [[nodiscard]] bool must_stop() const;
  [[nodiscard]] TimePoint start_deadline() const;
  [[nodiscard]] TimePoint kill_deadline() const;
  void leave_running(Event why, Error cause);
  void ask_main_process();
  bool kill_tree();
  [[nodiscard]] std::string why_killed() const;
  [[nodiscard]] bool give_up_killing(TimePoint killed_at);
  [[nodiscard]] TimePoint kill_again_at(TimePoint killed_at) const;
  void name_what_it_left();
  [[nodiscard]] Error last_run_is_stuck() const;
  void give_back();
  void end_run();
  [[nodiscard]] Event verdict();
  [[nodiscard]] bool exit_was_success() const;
  void it_ended(system::ExitStatus status);
  Task<void> end_probes(Context& ctx);

  // --- a daemon that goes to the background by itself (service_background.cpp)
  [[nodiscard]] bool goes_on_in_background(const system::ExitStatus& status);
  void find_main_process();
  void background_is_gone();
  [[nodiscard]] bool has_main_process() const;

  // --- what it has said
  NotifyState& notify_state();
  void forget_what_was_said();
  [[nodiscard]] bool listens_to_messages() const;
  [[nodiscard]] TimePoint watchdog_due() const;
  void note_ping();
  // The deadline `timeout` after `from`, moved by how long belfry itself has stood still since it had stood
  // still for `before` in all.
  [[nodiscard]] TimePoint moved_by_pauses(TimePoint from, Duration timeout, Duration before) const {
    return saturating_add(saturating_add(from, timeout), runtime_.loop.paused() - before);
  }
  [[nodiscard]] TimePoint reload_due() const;
  TimePoint look_at_what_was_said();
  void expire_watchdog(std::string why);
  [[nodiscard]] bool takes_itself_back() const;
  [[nodiscard]] Error why_unready() const;
  [[nodiscard]] std::string what_it_said_of_the_end() const;

  void enter(Event event, Error cause = {});
  void settle_bells(const Error& cause);
  void fresh_incarnation();
  [[nodiscard]] Error last_exit_error() const;

  // system::ExitWatcher, system::TreeWatcher, ProbeListener, OwnBellListener, probes::LaunchTemplate
  void on_exit(pid_t pid, system::ExitStatus status) override;
  void on_tree_empty(pid_t leader) override;
  void probe_changed(ProbeRole role, std::uint32_t index, bool up, const Error& why) override;
  void probe_tried(ProbeRole role, std::uint32_t index, const Result<void>& outcome) override;
  void prepare_ahead() override;
  void own_bell_true(std::uint32_t bell) override;
  void own_bell_tried(std::uint32_t bell, const Result<void>& outcome) override;
  void prepare(system::Launch& launch) const override;

  ServiceRuntime& runtime_;
  const config::Service& spec_;
  std::uint32_t index_;
  std::uint32_t holders_ = 0;  // when everything goes: dependents that run, or are held themselves
  bool cares_about_loss_ = false;
  bool asked_to_prepare_ = false;
  bool all_heard_ = false;     // what was said and written in this run, and nobody is left to say more
  bool seen_through_ = false;  // a gate whose dependents ask for its members
  Record record_;
  std::vector<Edge> edges_;
  std::vector<Service*> dependents_;
  std::unique_ptr<StateWatches> watchers_;  // null: nobody ever has
  Wakeup attention_;
  SharedIncarnation now_;
  std::unique_ptr<system::Launch> launch_;
  std::unique_ptr<ProbeWatch> readiness_;
  std::unique_ptr<ProbeWatch> liveness_;
  std::unique_ptr<OwnBells> own_bells_;
  std::unique_ptr<ServiceTimes> times_;
  config::Rarely<std::string> marker_;         // of the current run: "shop/db#3"
  std::unique_ptr<NotifyState> notify_state_;  // null: it has said nothing yet
  Error probe_error_;
  Error hook_error_;
  Error refusal_;  // found out while it prepared: the start can't work
  config::Rarely<ServiceCounters> counters_;
};

}  // namespace belfry::daemon
