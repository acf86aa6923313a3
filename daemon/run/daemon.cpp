#include "daemon/run/daemon.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <system_error>

#include "channels/error_group.hpp"
#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "config/model/enum_names.hpp"
#include "config/model/exit_codes.hpp"
#include "daemon/host/paths.hpp"
#include "daemon/resources/survivors.hpp"
#include "daemon/service/description.hpp"
#include "system/file_facts.hpp"
#include "system/oom_score.hpp"
#include "system/process_identity.hpp"
#include "text/escape.hpp"

namespace belfry::daemon {

namespace {

std::string text_of(Duration d) {
  char buffer[32];
  const double ms = std::chrono::duration<double, std::milli>(d).count();
  std::snprintf(buffer, sizeof buffer, ms < 1000 ? "%.0f ms" : "%.2f s", ms < 1000 ? ms : ms / 1000);
  return buffer;
}

// How long a slow reader of belfry's messages is waited for while the loop does not turn: before it runs, and
// when it has ended.
constexpr Duration patience_with_a_reader = std::chrono::seconds(2);
// How long the last lines are given to be written.
constexpr Duration least_time_for_output = std::chrono::seconds(1);
constexpr Duration most_time_for_output = std::chrono::seconds(10);

}  // namespace

Daemon::Daemon(const config::Stack& stack, RunMode mode)
    : stack_(stack),
      mode_(std::move(mode)),
      root_(loop_),
      signals_(loop_),
      processes_(loop_, signals_),
      poller_(root_),
      errors_(STDERR_FILENO, "belfry: "),
      pump_(loop_, mode_.output),
      resources_(loop_, stack, poller_, pump_),
      probes_(loop_, processes_),
      supervisor_(root_, stack, processes_, resources_, probes_, *this,
                  static_cast<std::uint64_t>(loop_.now().time_since_epoch().count())),
      metrics_(supervisor_, &resources_.unattributed_messages(), &loop_.meter()),
      api_(supervisor_, metrics_),
      server_(root_, api_),
      service_manager_(loop_, poller_, [this] { return summary(); }),
      signalled_(loop_, "signal"),
      long_waits_(
          loop_, [this](std::size_t most) { return supervisor_.long_waits(most); },
          [this](const std::string& line) { pump_.say(line); }) {
  signals_.set_listener(this);
  watch_logs();
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
  resources_.logs().on_trouble = [this](const std::string& text) { notice("belfry", text); };
  resources_.logs().on_unwritten = [this](const std::string& name, std::uint64_t lines) {
    metrics_.lines_unwritten(name, lines);
  };
}

Daemon::~Daemon() { loop_.abandon(); }

void Daemon::complain(const std::string& text) {
  std::string line = "belfry: ";
  for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 1) {
    end = text.find('\n', at);
    text::append_visible(line, std::string_view(text).substr(at, end - at));
    line += '\n';
  }
  if (pump_.output() == STDERR_FILENO)
    pump_.print(line);  // in order with the others
  else if (errors_.room() > 0)
    errors_.put(line);
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
  auto socket = mode_.private_socket ? make_place_for_private_socket(stack_.name)
                                     : make_place_for_control_socket(stack_.name, stack_.control.socket);
  if (!socket) return refuse(exit_code::os_error, socket.error().text());
  if (auto ok = server_.listen("unix:" + *socket, http::Access::full); !ok)
    return refuse(exit_code::os_error, ok.error().text());
  control_socket_ = *socket;
  if (const pid_t other = server_.predecessor(); other != 0)
    notice("belfry",
           "took over " + *socket + " from pid " + std::to_string(other) +
               ", whose socket was removed: if that one still runs its services, end it with `kill " +
               std::to_string(other) + "`");
  if (auto ok = resources_.open(); !ok)
    return refuse(ok.error().kind() == Error::Kind::invalid ? exit_code::bad_config : exit_code::os_error,
                  ok.error().text());
  for (const std::string& remark : resources_.remarks()) notice("belfry", remark);
  if (!mode_.tcp_by_default) return std::nullopt;
  for (const std::string& address : stack_.http.listen) {
    if (auto ok = server_.listen(address, http::Access::read_only); !ok)
      return refuse(exit_code::os_error, ok.error().text());
  }
  if (auto ok = end_survivors(); !ok) return refuse(exit_code::os_error, ok.error().text());
  return std::nullopt;
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
  TaskHandle life = spawn(loop_, "daemon", live(root_));
  loop_.run();
  if (!life.done()) {
    std::string who;
    loop_.each_task([&who](std::string_view name) { who.append(" ").append(name); });
    std::move(life).leave_to_loop();
    return refuse(code_, "cannot go on: these tasks wait for something that can never happen:" + who);
  }
  return code_;
}

// The whole life of the daemon: up, until something ends it, down.
Task<void> Daemon::live(Context& ctx) {
  begun_at_ = loop_.now();
  WaitGroup beside(loop_, "beside");
  Context beside_context(ctx);
  supervisor_.begin(mode_.services);
  if (meanwhile_) spawn(beside, "meanwhile", meanwhile_(beside_context));
  const Ending ending = co_await until_the_end(ctx);
  beside_context.cancel(Error::closed(ending.reason));
  Context patience(loop_);
  const Result<void> joined = co_await beside.wait(patience);
  if (!joined) notice("belfry", joined.error().text());
  co_await go_down(ctx, ending);
  code_ = kill_asked_ ? exit_code::by_signal + stop_signal_ : ending.code;
  // A stack that was shut down in good order says nothing of the command that it was there for.
  if (mode_.has_command && code_ == 0) code_ = command_code_.value_or(exit_code::unavailable);
  if (code_ == 0 && supervisor_.has_stuck()) code_ = exit_code::os_error;
  co_await close();
}

Task<Ending> Daemon::until_the_end(Context& ctx) {
  bool announced = false;
  for (;;) {
    auto ended = on(supervisor_.ending());
    auto signalled = on(signalled_);
    auto up = on(supervisor_.up());
    if (announced) up.reset();
    const std::size_t which = co_await select(ctx, ended, signalled, up);
    if (supervisor_.ending().ended()) co_return supervisor_.ending().value();
    if (which == select_cancelled)
      co_return Ending{.code = exit_code::internal, .reason = ctx.cause().text()};
    if (stop_signal_ != 0)
      co_return Ending{.code = mode_.has_command ? exit_code::by_signal + stop_signal_ : 0,
                       .reason = stop_signal_ == SIGHUP ? "its terminal has gone (SIGHUP)"
                                                        : system::signal_name(stop_signal_)};
    if (!announced && supervisor_.up().rung()) {
      announced = true;
      announce_up();
    }
  }
}

void Daemon::announce_up() {
  system::lower_oom_score();
  pump_.say("ready after " + text_of(loop_.now() - begun_at_) + ": " + summary());
  service_manager_.ready();
}

// One line for the service manager: how many of the wanted services are ready, and which one is missing.
std::string Daemon::summary() const {
  std::size_t wanted = 0;
  std::size_t ready = 0;
  const Service* missing = nullptr;
  for (const auto& service : supervisor_.services()) {
    if (!service->record().wanted) continue;
    ++wanted;
    if (service->default_level()) {
      ++ready;
    } else if (missing == nullptr ||
               (missing->state() == State::waiting && service->state() != State::waiting)) {
      missing = service.get();  // who waits is not to blame when somebody else can be named
    }
  }
  std::string text = std::to_string(ready) + " of " + std::to_string(wanted) + " services ready";
  if (missing != nullptr)
    text += "; " + std::string(missing->name()) + " is " + std::string(name_of(missing->state()));
  return text;
}

Task<void> Daemon::go_down(Context& ctx, const Ending& ending) {
  pump_.say("stopping: " + ending.reason);
  service_manager_.stopping(ending.reason, saturating_add(stack_.shutdown.delay, stack_.shutdown.timeout));
  const TimePoint asked_at = loop_.now();
  stop_by_ = saturating_add(asked_at, saturating_add(stack_.shutdown.delay, stack_.shutdown.timeout));
  const Error cause = Error::closed("the stack goes down: " + ending.reason);
  if (stack_.shutdown.delay > Duration::zero() && !kill_asked_) {
    supervisor_.begin_shutdown();
    auto hurried = on(signalled_);
    auto over = after(loop_, stack_.shutdown.delay);
    co_await select(ctx, hurried, over);
  }
  supervisor_.stop_everything(saturating_add(asked_at, stack_.shutdown.timeout), cause);
  long_waits_.look(false);  // the wait for the start is over
  long_waits_.look(supervisor_.is_waiting());
  if (kill_asked_) kill_everything(cause);
  Wakeup changed(loop_, "going down");
  supervisor_.watch(changed);
  while (!supervisor_.is_at_rest()) {
    auto moved = on(changed);
    auto signalled = on(signalled_);
    co_await select(ctx, moved, signalled);
    if (kill_asked_) kill_everything(cause);
  }
  supervisor_.unwatch(changed);
  name_strays();
  pump_.say("stopped after " + text_of(loop_.now() - asked_at));
}

void Daemon::kill_everything(const Error& cause) {
  if (!std::exchange(kill_told_, true) && !stop_requests_.why_killed().empty())
    pump_.say("killing everything: " + stop_requests_.why_killed());
  supervisor_.kill_everything(cause);
}

// Nobody knows which service a stray belongs to, and killing them all would be a guess. Where belfry is PID
// 1, the kernel ends them with belfry.
void Daemon::name_strays() {
  std::string who;
  for (const system::Survivor& stray : processes_.strays())
    who += (who.empty() ? "" : ", ") + std::to_string(stray.pid) + " " + stray.name;
  if (who.empty()) return;
  notice("belfry",
         "these processes belong to nobody (they left their session, environment and output behind) and " +
             std::string(system::own_pid() == 1 ? "end with belfry" : "go on") + ": " + who +
             " (`isolate: true` tells whose they are)");
}

// Everything is closed, whatever fails on the way; what failed is said.
Task<void> Daemon::close() {
  Context patience(loop_);
  ErrorGroup closing(patience, ErrorGroup::Policy::all_run, "closing");
  spawn(closing, "close server", close_server());
  spawn(closing, "end lives", end_lives());
  const Result<void> closed = co_await closing.wait(patience);
  if (!closed) notice("belfry", closed.error().text());
  if (kept_ && !supervisor_.has_stuck()) kept_->remove();
  co_await write_the_last_lines();
  co_await poller_.stop();
  signals_.set_listener(nullptr);
  loop_.stop();
}

// A late reader is waited for, but not for ever, and not at all after a second request to stop.
Task<void> Daemon::write_the_last_lines() {
  Context patience(loop_);
  const TimePoint now = loop_.now();
  const TimePoint by =
      kill_asked_ ? now : std::clamp(stop_by_, now + least_time_for_output, now + most_time_for_output);
  (void)signalled_.consume();
  // Files and log daemons first: what goes wrong with them is to be read in the output.
  ErrorGroup writing(patience, ErrorGroup::Policy::all_run, "writing the last lines");
  resources_.logs().each_pump([&](const std::string& name, LogPump& pump) {
    spawn(writing, "write the last lines", write_out(name, pump, by));
  });
  const Result<void> written = co_await writing.wait(patience);
  if (!written) notice("belfry", written.error().text());
  const std::uint64_t missing = co_await pump_.drain(patience, signalled_, by);
  if (missing > 0 && !system::is_same_file(pump_.output(), STDERR_FILENO))
    complain(std::to_string(missing) + " lines were lost at the end: nobody read the output");
  (void)errors_.finish(std::chrono::milliseconds(200));
}

Task<Result<void>> Daemon::write_out(const std::string& name, LogPump& pump, TimePoint by) {
  Context patience(loop_);
  Wakeup nobody(loop_, "hurry");
  const std::uint64_t missing = co_await pump.drain(patience, nobody, by);
  if (missing > 0)
    notice("belfry", std::to_string(missing) + " lines were lost at the end: " + name + " did not take them");
  co_return Result<void>{};
}

Task<Result<void>> Daemon::close_server() {
  Context patience(loop_);
  Context bounded(patience, loop_.now() + std::chrono::seconds(1));
  Result<void> stopped = co_await server_.stop(bounded);
  co_return stopped;
}

Task<Result<void>> Daemon::end_lives() {
  co_await supervisor_.end();
  co_return Result<void>{};
}

void Daemon::state_changed(const Service& service, State from, State to) {
  const Record& record = service.record();
  service_manager_.changed(to == State::ready || to == State::completed);
  long_waits_.look(supervisor_.is_waiting());
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

void Daemon::probe_took(config::Probe::Kind kind, Duration took) {
  metrics_.probe_tried(config::name_of(kind), took);
}

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
      notice("belfry", "cannot reload: this version does not support it yet (restart belfry instead)");
      service_manager_.reload_refused("cannot reload: this version does not support it yet");
      return;
    case SIGUSR1: resources_.logs().reopen(); return;
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
