// Everything a running belfry consists of, in the order in which it must come and go.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "channels/handshake.hpp"
#include "channels/loop.hpp"
#include "channels/wait_group.hpp"
#include "channels/wakeup.hpp"
#include "config/model/exit_codes.hpp"
#include "config/model/model.hpp"
#include "daemon/cluster/cluster.hpp"
#include "daemon/http/api/api.hpp"
#include "daemon/http/wire/server.hpp"
#include "daemon/logs/pump.hpp"
#include "daemon/metrics/daemon_metrics.hpp"
#include "daemon/notify/service_manager_notifier.hpp"
#include "daemon/resources/native_resources.hpp"
#include "daemon/run/announcements.hpp"
#include "daemon/run/app.hpp"
#include "daemon/run/held_output.hpp"
#include "daemon/run/history.hpp"
#include "daemon/run/live_view.hpp"
#include "daemon/run/reloader.hpp"
#include "daemon/supervisor/long_waits.hpp"
#include "daemon/supervisor/stop_requests.hpp"
#include "daemon/supervisor/supervisor.hpp"
#include "probes/factory.hpp"
#include "system/guard.hpp"
#include "system/inherited_descriptors.hpp"
#include "system/native.hpp"
#include "system/poller.hpp"
#include "system/signals.hpp"
#include "system/terminal.hpp"
#include "system/time_of_day.hpp"

namespace belfry::daemon {

// What `run` and `exec` do differently.
struct RunMode {
  bool tcp_by_default = true;   // listen where the file says; exec runs beside its like and does not
  bool private_socket = false;  // a control socket that nobody else uses
  bool has_command = false;     // its end is the end of the stack; to be interrupted before it is a failure
  bool live = false;            // on a terminal, a line for each service stays where it is
  std::vector<std::string> services;  // empty: all that are enabled
  system::Guard* guard = nullptr;  // ends the services when belfry is killed; null: nobody, or somebody else
  std::shared_ptr<HeldLines> held = {};  // where those lines are kept instead
  bool strict_stop = false;              // who had to be killed makes the end a failure
  std::function<void(const LastLook&)> witness = {};
  int output = 1;  // where the lines of belfry and its services go: standard output, unless a command has it
  std::string log_file = {};  // or into this file, which is kept small
  StackFiles files = {};      // where the stack was read from
};

// Owner: run() or exec(), on main's stack.
// Lifecycle: open(), then serve() as the loop's one root task; destroyed after the loop has ended.
// Cancellation: a signal, an ending of the stack, or ask_to_end().
class Daemon final : Reporter, system::SignalListener {
 public:
  Daemon(const config::Stack& stack, RunMode mode);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // What belfry's service manager has passed to it; before open().
  void take(std::vector<system::InheritedDescriptor> descriptors);
  // Binds and looks up whatever can fail, before anything is started. The exit code on failure.
  std::optional<int> open();
  // Up, until something ends it, down. `meanwhile` runs beside it once begun and may ask_to_end().
  int serve(std::function<Task<void>(Context&)> meanwhile = {});

  // The code of `exec`, unless something else ends the stack.
  void command_ended(int code) { command_code_ = code; }
  void blame(std::string what) { blame_ = std::move(what); }
  void ask_to_end(Ending ending) { supervisor_.ender().ring(std::move(ending)); }
  // The signals that came, for whoever runs a command on the user's behalf. Empty: belfry handles them
  // itself.
  std::function<bool(int)> signal_filter;

  [[nodiscard]] Loop& loop() { return loop_; }
  [[nodiscard]] const config::Stack& stack() const { return stack_; }
  [[nodiscard]] const config::Shutdown& shutdown() const { return reloader_.settings().shutdown; }
  [[nodiscard]] Supervisor& supervisor() { return supervisor_; }
  [[nodiscard]] system::Processes& processes() { return processes_; }
  [[nodiscard]] const NativeResources& resources() const { return resources_; }
  [[nodiscard]] const std::string& control_socket() const { return control_socket_; }
  [[nodiscard]] const system::Guard* guard() const { return mode_.guard; }  // null: as in RunMode
  void say(std::string_view text) { pump_.say(text); }
  // What a person must see, on standard error: "belfry: TEXT". Never blocks.
  void complain(const std::string& text);

 private:
  Task<void> live(Context& ctx);
  Task<Ending> until_the_end(Context& ctx);
  Task<void> go_down(Context& ctx, const Ending& ending);
  Task<void> go_down_at_once(Context& ctx, const Error& cause);
  Task<void> until_at_rest(Context& ctx, const Error& cause);
  Task<void> close();
  Task<void> write_the_last_lines();
  Task<Result<void>> write_out(const std::string& name, LogPump& pump, TimePoint by);
  void watch_logs();
  void watch_reloads();
  Task<Result<void>> close_server();
  Task<Result<void>> end_lives();
  Task<Result<void>> leave_cluster();
  // Before the loop turns: the code, when the reason has been read or there was time for it.
  int refuse(int code, const std::string& text);
  void announce_up();
  Result<void> open_cluster();
  void open_history();
  void write_history(const Ending& ending, TimePoint asked_at);
  Result<void> end_survivors();
  [[nodiscard]] std::string summary() const;
  void show(LastLook::Moment moment, const std::string& reason);
  int ask_api(const std::string& target, AnswerForm form, const std::function<bool(std::string_view)>& take);
  void name_strays();
  void judge_the_stop();
  void say_own_tasks();
  void kill_everything(const Error& cause);
  // Something is wrong in belfry itself, and not with a service: the stack goes down in good order, exit 70.
  void broken(const std::string& what);
  static std::string text_of(Duration d);
  Task<void> up_to_the_end(WaitGroup& beside, Context& beside_context, Ending& ending);

  void state_changed(const Service& service, State from, State to) override;
  void asked_for_time(const Service& service, Duration by) override;
  void own_bell_rang(const Service& service, std::string_view bell) override;
  void notice(std::string_view service, const std::string& text) override;
  void on_signal(const system::SignalEvent& event) override;

  const config::Stack& stack_;
  RunMode mode_;
  Loop loop_;
  Context root_;
  system::ControllingTerminal terminal_;
  system::Signals signals_;
  system::NativeProcesses processes_;
  system::Poller poller_;
  system::OutputWriter errors_;  // on standard error
  const bool errors_are_in_the_log_;
  LogPump pump_;
  NativeResources resources_;
  probes::NativeFactory probes_;
  std::unique_ptr<cluster::Cluster> cluster_;  // null: this host is alone
  std::optional<Announcements> announcements_;
  system::MachineTimeOfDay time_of_day_;
  Supervisor supervisor_;
  Reloader reloader_;
  DaemonMetrics metrics_;
  http::Api api_;
  http::Server server_;
  ServiceManagerNotifier service_manager_;
  Wakeup signalled_;
  StopRequests stop_requests_;
  int stop_signal_ = 0;
  bool kill_asked_ = false;
  bool kill_told_ = false;
  bool is_broken_ = false;
  LongWaits long_waits_;
  std::optional<LiveView> live_;  // nothing: lines are only lines
  TimePoint begun_at_{};
  TimePoint stop_by_{};  // the end of the shutdown's budget
  std::string control_socket_;
  std::optional<KeptRecord> kept_;
  std::optional<HistoryWriter> history_;  // nothing: it keeps none
  std::function<Task<void>(Context&)> meanwhile_;
  int code_ = exit_code::internal;
  std::optional<int> command_code_;
  std::string blame_;  // what was wrong with the stack while it ran
};

// On standard error, as it is. A signal that asks to end is blocked already, so it does not wait for long.
void print_error(std::string lines);

// What `run` and `exec` have in common: signals blocked first, the file loaded (what is wrong with it is
// printed), everything opened; then `serve`, whose exit code is returned.
int with_daemon(const RunOptions& options, const RunMode& mode, const std::function<int(Daemon&)>& serve);

}  // namespace belfry::daemon
