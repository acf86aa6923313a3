#include "daemon/run/daemon.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <system_error>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "config/model/enum_names.hpp"
#include "config/model/exit_codes.hpp"
#include "daemon/host/paths.hpp"
#include "daemon/logs/line_format.hpp"
#include "daemon/resources/descriptor_need.hpp"
#include "daemon/resources/survivors.hpp"
#include "daemon/run/cluster_identity.hpp"
#include "daemon/run/control_access.hpp"
#include "daemon/run/own_tasks.hpp"
#include "daemon/service/description.hpp"
#include "daemon/why/explain.hpp"
#include "daemon/why/text.hpp"
#include "system/descriptors.hpp"
#include "system/file_facts.hpp"
#include "system/log_file.hpp"
#include "system/proc.hpp"
#include "system/process_identity.hpp"
#include "text/escape.hpp"

namespace belfry::daemon {

namespace {

// How long a slow reader of belfry's messages is waited for while the loop does not turn: before it runs, and
// when it has ended.
constexpr Duration patience_with_a_reader = std::chrono::seconds(2);
// When all are asleep at the end: how long something may still come from outside before belfry gives up.
constexpr Duration last_chance = std::chrono::seconds(5);

constexpr const char* of_hidden =
    "/proc hides other users' processes (hidepid) and belfry lacks CAP_SYS_PTRACE: of services with `user` "
    "it "
    "knows the process group only (`isolate: true` or a cgroup tells all of theirs)";

// Of a stack in the background: what it writes in months must not fill a disk.
constexpr std::uint64_t largest_log = std::uint64_t{8} << 20;
constexpr std::uint32_t most_logs = 2;

LogPump pump_into(Loop& loop, const std::string& path) {
  auto target = std::make_unique<system::LogFile>(
      path,
      system::LogFile::Rotation{.max_size = largest_log,
                                .rules = {.max_files = most_logs, .max_age = Duration(0), .compress = false}},
      [](std::uint64_t lines, std::string_view why) { return LineFormat("belfry", {}).marker(lines, why); });
  return LogPump(loop, std::move(target), LineStyle{});
}

LogPump pump_for(Loop& loop, const RunMode& mode) {
  if (!mode.log_file.empty()) return pump_into(loop, mode.log_file);
  if (mode.held) return LogPump(loop, std::make_unique<HeldOutput>(mode.held), LineStyle{});
  return LogPump(loop, mode.output);
}

bool has_a_user(const config::Service& service) { return !service.user->empty(); }

// A wait takes a connection, and waits are what most clients are there for.
http::ServerLimits limits_for(const config::Stack& stack) {
  http::ServerLimits limits;
  limits.connections = connections_for_clients(stack, system::descriptor_limit());
  limits.waits = limits.connections / 4 * 3;
  limits.wait_names = limits.waits * 8;
  return limits;
}

}  // namespace

Daemon::Daemon(const config::Stack& stack, RunMode mode)
    : stack_(stack),
      mode_(std::move(mode)),
      root_(loop_),
      signals_(loop_),
      processes_(loop_, signals_),
      poller_(root_),
      errors_(STDERR_FILENO, "belfry: "),
      errors_are_in_the_log_(!mode_.log_file.empty() && system::is_same_file(STDERR_FILENO, mode_.log_file)),
      pump_(pump_for(loop_, mode_)),
      resources_(loop_, stack, poller_, pump_),
      probes_(loop_, processes_),
      time_of_day_(loop_),
      supervisor_(root_, stack, processes_, resources_, probes_, *this,
                  static_cast<std::uint64_t>(loop_.now().time_since_epoch().count())),
      reloader_(root_, supervisor_, resources_, mode_.files, stack, mode_.private_socket),
      metrics_(supervisor_, &resources_.unattributed_messages(), &loop_.meter()),
      api_(supervisor_, metrics_, supervisor_.journal(), resources_.logs().book()),
      server_(root_, api_, http::Access::read_only, limits_for(stack)),
      service_manager_(loop_, poller_, [this] { return summary(); }),
      signalled_(loop_, "signal"),
      long_waits_(
          loop_, [this](std::size_t most) { return supervisor_.long_waits(most); },
          [this](const std::string& line) { pump_.say(line); }) {
  signals_.set_listener(this);
  supervisor_.tell_time_by(time_of_day_);
  processes_.tell_usage_to(resources_);
  loop_.on_unread_error(
      [this](const std::string& who, const Error& error) { broken(who + ": " + error.text()); });
  api_.on_remark = [this](const std::string& text) { notice("belfry", text); };
  api_.on_broken = [this](const Error& error) { complain("internal error: " + error.text()); };
  api_.set_reloader(reloader_);
  watch_logs();
  watch_reloads();
  if (mode_.guard != nullptr) {
    processes_.write_down_in(mode_.guard->ledger());
    resources_.guard_by(*mode_.guard);
  }
  if (mode_.has_command) supervisor_.stay_up_when_done();
}

void Daemon::watch_logs() {
  pump_.on_failure = [this](int errnum) {
    if (system::is_same_file(pump_.output(), STDERR_FILENO)) return;
    complain("cannot write its output: " + std::generic_category().message(errnum) +
             ": lines are lost (the services go on)");
  };
  pump_.on_unwritten = [this](std::uint64_t lines) { metrics_.lines_unwritten("output", lines); };
  pump_.on_trouble = [this](const std::string& text) { complain(text); };
  resources_.logs().on_trouble = [this](const std::string& text) { notice("belfry", text); };
  resources_.logs().on_unwritten = [this](const std::string& name, std::uint64_t lines) {
    metrics_.lines_unwritten(name, lines);
  };
}

void Daemon::watch_reloads() {
  reloader_.on_begin = [this](const std::string& by) {
    service_manager_.reloading();
    api_.on_command("reload of the file asked for by " + by);
  };
  reloader_.on_end = [this](const ReloadResult& result) {
    if (result.outcome == CommandOutcome::done) pump_.say("reloaded: " + result.message);
    service_manager_.reloaded();
    if (live_) live_->changed();
  };
  reloader_.on_remark = [this](const std::string& text) { complain(text); };
  reloader_.answered = [this](const ReloadResult& result) {
    const bool done = result.outcome == CommandOutcome::done;
    if (done && !result.services.empty()) return;  // it was said
    if (done && !result.stack.empty()) return;
    const std::string text = done ? "reloaded: " + result.message : result.message;
    done ? pump_.say(text) : complain(text);
    service_manager_.reload_answered(text);  // a service manager that has sent it waits for that
  };
}

void Daemon::take(std::vector<system::InheritedDescriptor> descriptors) {
  resources_.take_sockets(std::move(descriptors), service_manager_,
                          [this](const std::string& text) { notice("belfry", text); });
}

Daemon::~Daemon() {
  resources_.leave_sockets();  // who would take them out of the store goes first
  loop_.on_unread_error({});   // it is printed: what is told with may go before who has something to tell
  loop_.abandon();
}

void Daemon::complain(const std::string& text) {
  std::string line = "belfry: ";
  for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 1) {
    end = text.find('\n', at);
    const std::string shown = text::visible(std::string_view(text).substr(at, end - at));
    pump_.keep_own(shown);
    line += shown + '\n';
  }
  if (live_ || pump_.output() == STDERR_FILENO || !mode_.log_file.empty())
    pump_.print(line);  // in order with the others
  const bool is_seen = live_ || pump_.output() == STDERR_FILENO || errors_are_in_the_log_;
  if (!is_seen && errors_.room() > 0) errors_.put(line);
}

int Daemon::refuse(int code, const std::string& text) {
  complain(text);
  pump_.finish(patience_with_a_reader);
  (void)errors_.finish(patience_with_a_reader);
  return code;
}

std::optional<int> Daemon::open() {
  for (const std::string& name : mode_.services) {
    if (!supervisor_.find(name))
      return refuse(exit_code::usage, "cannot start " + name + ": there is no such service in the file");
  }
  // The first of all that is taken: two of the same stack must not so much as bind a service's address.
  auto socket = mode_.private_socket
                    ? make_place_for_private_socket(stack_.name)
                    : make_place_for_control_socket(
                          stack_.name, stack_.control.socket,
                          stack_.control.allow.empty() ? Passage::owner : Passage::who_may_use);
  if (!socket) return refuse(exit_code::os_error, socket.error().text());
  // The socket of `exec` is its command's, and nobody else's.
  Result<ControlAccess> control = mode_.private_socket ? ControlAccess() : look_up(stack_.control);
  if (!control) return refuse(exit_code::bad_config, control.error().text());
  if (auto ok = server_.listen("unix:" + *socket, http::Access::full, control->rules.groups); !ok)
    return refuse(exit_code::os_error, ok.error().text());
  control_socket_ = *socket;
  for (const std::string& remark : who_cannot_reach(stack_.control, control->rules, *socket))
    notice("belfry", remark);
  for (const std::string& remark : control->remarks) notice("belfry", remark);
  api_.set_rules(std::move(control->rules));
  api_.on_command = [this](const std::string& line) {
    supervisor_.journal().append({.kind = EventKind::stack, .subject = "command", .cause = line});
    pump_.say(line);
  };
  if (const pid_t other = server_.predecessor(); other != 0)
    notice("belfry",
           "took over " + *socket + " from pid " + std::to_string(other) +
               ", whose socket was removed: if that one still runs its services, end it with `kill " +
               std::to_string(other) + "`");
  if (auto ok = resources_.open(); !ok)
    return refuse(ok.error().kind() == Error::Kind::invalid ? exit_code::bad_config : exit_code::os_error,
                  ok.error().text());
  for (const std::string& remark : resources_.remarks()) notice("belfry", remark);
  if (system::proc::hides_others() && std::ranges::any_of(stack_.services, has_a_user))
    notice("belfry", of_hidden);
  if (auto ok = open_cluster(); !ok) return refuse(exit_code::bad_config, ok.error().text());
  if (!mode_.tcp_by_default) return std::nullopt;
  if (stack_.http.tls && !stack_.http.listen.empty()) {
    auto tls = tls::Server::load(*stack_.http.tls);
    if (!tls) return refuse(exit_code::bad_config, tls.error().text() + " (http.tls)");
    server_.speak_tls(std::move(*tls));
  }
  for (const std::string& address : stack_.http.listen) {
    if (auto ok = server_.listen(address, http::Access::read_only); !ok)
      return refuse(exit_code::os_error, ok.error().text());
  }
  if (auto ok = end_survivors(); !ok) return refuse(exit_code::os_error, ok.error().text());
  open_history();
  return std::nullopt;
}

// Nobody is asked yet: a stack that starts does not wait for etcd.
Result<void> Daemon::open_cluster() {
  if (!stack_.cluster) return {};
  // Of a socket that nobody else uses there is no predecessor; of one that was taken away from somebody who
  // may still run, none that is known to be gone.
  const bool knows_predecessor = !mode_.private_socket && server_.predecessor() == 0;
  auto self = identify(stack_, knows_predecessor ? control_socket_ : std::string());
  if (!self) return std::unexpected(self.error());
  const auto seed = static_cast<std::uint64_t>(std::hash<std::string>()(self->boot_id));
  auto chance = [generator = std::mt19937_64(seed)]() mutable {
    return std::uniform_real_distribution<double>()(generator);
  };
  auto made = cluster::Cluster::make(root_, *stack_.cluster, std::move(*self), std::move(chance));
  if (!made) return std::unexpected(made.error());
  cluster_ = std::move(*made);
  cluster_->on_remark = [this](const std::string& about, const std::string& text) { notice(about, text); };
  announcements_.emplace(loop_, cluster_->publisher(), cluster_->reservations(),
                         [this] { return shutdown().delay; });
  announcements_->causes = [this](const Service& service) {
    return causes_below(explain(supervisor_.why_facts(service.index())));
  };
  supervisor_.announce_by(*announcements_);
  probes_.ask_others_by(cluster_->others());
  api_.set_cluster(*cluster_);
  metrics_.set_cluster(*cluster_);
  cluster_->start();
  return {};
}

// Of a stack that is there to stay; `exec` runs beside its like, and its time is its command's.
void Daemon::open_history() {
  if (mode_.private_socket) return;
  auto place = make_place_for_history(stack_.name);
  if (!place) return notice("belfry", "keeps no history of its starts: " + place.error().text());
  history_.emplace(
      loop_, std::move(*place), [this](const std::string& text) { notice("belfry", text); },
      [this] { metrics_.history_lost(); });
}

void Daemon::write_history(const Ending& ending, TimePoint asked_at) {
  if (!history_) return;
  if (!supervisor_.up().ended()) history_->write(history_of_start(supervisor_, false, ending.reason));
  const int code = kill_asked_ ? exit_code::by_signal + stop_signal_ : ending.code;
  history_->write(history_of_stop(supervisor_, asked_at, code, ending.reason));
}

// When the socket is ours, so that no other belfry runs what is ended here, and nothing else can go wrong
// that would leave the host without either run; before anything starts.
Result<void> Daemon::end_survivors() {
  if (mode_.private_socket) return {};  // nobody will ever find it again
  kept_.emplace(control_socket_);
  if (kept_->exists()) {
    const auto ended = daemon::end_survivors(stack_, control_socket_, kept_->read());
    if (!ended) return std::unexpected(ended.error());
    if (!ended->empty()) pump_.say("ended what an earlier run left behind: " + *ended);
  }
  if (stack_.on_daemon_death != config::OnDaemonDeath::keep) {
    kept_->remove();
    return {};
  }
  if (mode_.guard != nullptr) mode_.guard->stand_down();
  resources_.keep_in(*kept_, control_socket_);
  return kept_->open();
}

int Daemon::serve(std::function<Task<void>(Context&)> meanwhile) {
  meanwhile_ = std::move(meanwhile);
  if (mode_.live && can_be_live(stack_, pump_.output())) live_.emplace(loop_, supervisor_, pump_);
  TaskHandle life = spawn(loop_, "daemon", live(root_));
  if (!run_until_done(loop_, life, last_chance)) {
    std::string who;
    for (const std::string& line : describe_own_tasks(loop_)) who += "\n  " + line;
    std::move(life).leave_to_loop();
    return refuse(code_, "cannot go on: its own tasks wait for something that can never happen:" + who);
  }
  if (const Result<void> lived = life.result(); !lived) broken(lived.error().text());
  if (!is_broken_) return code_;
  (void)errors_.finish(patience_with_a_reader);
  return exit_code::internal;
}

void Daemon::broken(const std::string& what) {
  complain("internal error: " + what + ": the stack goes down (please report this with the lines before it)");
  if (!std::exchange(is_broken_, true))
    supervisor_.ender().ring({.code = exit_code::internal, .reason = "internal error: " + what});
}

// On SIGUSR1: who waits for what.
void Daemon::say_own_tasks() {
  for (const std::string& line : describe_own_tasks(loop_)) notice("belfry", line);
}

std::string Daemon::text_of(Duration d) {
  char buffer[32];
  const double ms = std::chrono::duration<double, std::milli>(d).count();
  std::snprintf(buffer, sizeof buffer, ms < 1000 ? "%.0f ms" : "%.2f s", ms < 1000 ? ms : ms / 1000);
  return buffer;
}

void Daemon::state_changed(const Service& service, State from, State to) {
  const Record& record = service.record();
  if (announcements_) announcements_->state_changed(service);
  service_manager_.changed(to == State::ready || to == State::completed);
  long_waits_.look(supervisor_.is_waiting());
  if (live_) live_->changed();
  std::string text;
  switch (to) {
    case State::ready:
      if (service.spec().command.empty()) return;
      text = from == State::unready ? "is ready again"
                                    : "is ready after " + text_of(record.since - record.run.started_at);
      break;
    case State::unready: text = "is not ready any more"; break;
    case State::backoff:
      text = record.run.exit && record.last_run_succeeded ? "ended, will start again"
                                                          : "failed, will start again";
      break;
    case State::failed: text = "failed"; break;
    case State::blocked: text = "is blocked"; break;
    case State::completed: text = "completed after " + text_of(record.since - record.run.started_at); break;
    case State::inactive:
      if (!is_running(from)) return;
      text = "stopped";
      break;
    default: return;
  }
  const std::string error =
      to == State::completed || to == State::inactive || to == State::ready ? "" : last_error(service);
  notice(service.name(), error.empty() ? text : text + ": " + error);
}

void Daemon::asked_for_time(const Service&, Duration by) { service_manager_.needs_time(by); }

void Daemon::own_bell_rang(const Service& service, std::string_view bell) {
  notice(service.name(),
         "is " + std::string(bell) + " after " + text_of(loop_.now() - service.record().run.started_at));
}

void Daemon::notice(std::string_view service, const std::string& text) {
  pump_.say(std::string(service) + " " + text);
}

void Daemon::on_signal(const system::SignalEvent& event) {
  // A QUIT that the command has got was none for belfry.
  const bool filtered = event.number == SIGQUIT && signal_filter && signal_filter(event.number);
  if (filtered) return;
  const StopRequests::Meaning meaning = stop_requests_.take(event, loop_.now());
  if (meaning == StopRequests::Meaning::echoes) return;
  if (event.number != SIGQUIT && signal_filter && signal_filter(event.number)) return;
  switch (event.number) {
    case SIGHUP:
      if (terminal_.is_lost(event)) {
        if (system::outlives_its_terminal()) return;
        if (stop_signal_ == 0) stop_signal_ = SIGHUP;  // of a shell and of the kernel: one request
        break;
      }
      reloader_.reload_in_background();
      return;
    case SIGUSR1: say_own_tasks(); return;
    case SIGWINCH:
      if (live_) live_->resized();
      return;
    case SIGUSR2: resources_.logs().reopen(); return;
    case SIGQUIT:
    case SIGTERM:
    case SIGINT:
      kill_asked_ = kill_asked_ || meaning == StopRequests::Meaning::kills;
      if (stop_signal_ == 0 || event.number != SIGQUIT) stop_signal_ = event.number;
      break;
    default: return;
  }
  signalled_.notify();
}

}  // namespace belfry::daemon
