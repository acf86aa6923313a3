// The life of the daemon: up, until something ends it, down, whatever breaks on the way.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>

#include "channels/error_group.hpp"
#include "channels/select.hpp"
#include "channels/spawn.hpp"
#include "config/model/exit_codes.hpp"
#include "daemon/run/daemon.hpp"
#include "daemon/why/explain.hpp"
#include "system/file_facts.hpp"
#include "system/oom_score.hpp"
#include "system/process_identity.hpp"

namespace belfry::daemon {

namespace {

// How long the last lines are given to be written.
constexpr Duration least_time_for_output = std::chrono::seconds(1);
constexpr Duration most_time_for_output = std::chrono::seconds(10);

// What the work throws becomes an error, so that what must be done after it is done.
Task<Result<void>> caught(std::string_view name, Task<void> work) {
  try {
    co_await std::move(work);
  } catch (...) {
    co_return std::unexpected(error_from_exception(name, std::current_exception()));
  }
  co_return Result<void>();
}

// Told of changes for as long as it lives.
class Watching {
 public:
  Watching(Supervisor& supervisor, Wakeup& changed) : supervisor_(supervisor), changed_(changed) {
    supervisor_.watch(changed_);
  }
  ~Watching() { supervisor_.unwatch(changed_); }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

 private:
  Supervisor& supervisor_;
  Wakeup& changed_;
};

}  // namespace

// The whole life of the daemon: up, until something ends it, down. Whatever breaks on the way, the services
// are stopped, and what was opened is closed.
Task<void> Daemon::live(Context& ctx) {
  begun_at_ = loop_.now();
  WaitGroup beside(loop_, "beside", WaitGroup::Thrown::told_at_once);
  Context beside_context(ctx);
  Ending ending{.code = exit_code::internal, .reason = "internal error"};
  const Result<void> lived = co_await caught("daemon", up_to_the_end(beside, beside_context, ending));
  if (!lived) {
    ending.reason = "internal error: " + lived.error().text();
    broken(lived.error().text());
  }
  beside_context.cancel(Error::closed(ending.reason));
  Context patience(loop_);
  (void)co_await beside.wait(patience);  // what is thrown there is told at once
  co_await reloader_.close();
  show(LastLook::Moment::ending, ending.reason);
  const Result<void> went_down = co_await caught("daemon", go_down(ctx, ending));
  if (!went_down) {
    broken(went_down.error().text());
    const Result<void> killed = co_await caught("daemon", go_down_at_once(ctx, went_down.error()));
    if (!killed) broken(killed.error().text());
  }
  code_ = kill_asked_ ? exit_code::by_signal + stop_signal_ : ending.code;
  // A stack that was shut down in good order says nothing of the command that it was there for.
  if (mode_.has_command && code_ == 0) code_ = command_code_.value_or(exit_code::unavailable);
  if (code_ == 0 && supervisor_.has_stuck()) code_ = exit_code::os_error;
  show(LastLook::Moment::over, ending.reason);
  const Result<void> closed = co_await caught("daemon", close());
  if (!closed) broken(closed.error().text());
  signals_.set_listener(nullptr);
  loop_.stop();
}

// Whatever the witness makes of it, the stack goes down.
void Daemon::show(LastLook::Moment moment, const std::string& reason) {
  if (!mode_.witness) return;
  try {
    mode_.witness({.moment = moment,
                   .reason = reason,
                   .blame = blame_,
                   .ask = [this](const auto& target, AnswerForm form, const auto& take) {
                     return ask_api(target, form, take);
                   }});
  } catch (const std::exception& error) {
    complain(std::string("cannot write this run down: ") + error.what());
  }
}

int Daemon::ask_api(const std::string& target, AnswerForm form,
                    const std::function<bool(std::string_view)>& take) {
  constexpr std::size_t piece = 65536;
  http::Request request;
  request.method = http::Method::get;
  request.method_name = "GET";
  request.target = target;
  request.accept = form == AnswerForm::json ? http::application_json : http::event_stream;
  const http::Caller self{.granted = http::Access::full,
                          .peer = {.kind = system::Peer::Kind::unix_socket, .trusted_user = true}};
  http::Answer answer = api_.answer(request, self);
  if (const auto* whole = std::get_if<http::Response>(&answer)) {
    take(whole->body);
    return whole->status;
  }
  const auto* streamed = std::get_if<http::StreamedAnswer>(&answer);
  if (streamed == nullptr) return 0;  // what takes time is not waited for
  http::BodyStream::Next next = http::BodyStream::Next::more;
  for (std::string bytes; next == http::BodyStream::Next::more; bytes.clear()) {
    next = streamed->body->fill(bytes, piece);
    if (!take(bytes)) break;
  }
  return streamed->head.status;
}

Task<void> Daemon::up_to_the_end(WaitGroup& beside, Context& beside_context, Ending& ending) {
  supervisor_.begin(mode_.services);
  resources_.give_up_sockets();
  if (meanwhile_) spawn(beside, "meanwhile", meanwhile_(beside_context));
  ending = co_await until_the_end(root_);
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
      co_return Ending{
          .code = mode_.has_command ? command_code_.value_or(exit_code::by_signal + stop_signal_) : 0,
          .reason =
              stop_signal_ == SIGHUP ? "its terminal has gone (SIGHUP)" : system::signal_name(stop_signal_)};
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
  if (history_) history_->write(history_of_start(supervisor_, true, {}));
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
  // Who failed is said before everybody stops; a command's user has been told already.
  if (ending.code == exit_code::unavailable && !mode_.has_command) {
    const Explanation why = explain(supervisor_.why_facts(std::nullopt));
    if (!why.verdict.empty()) pump_.say(why.headline);
  }
  pump_.say("stopping: " + ending.reason);
  service_manager_.stopping(ending.reason, shutdown().timeout);
  resources_.leave_sockets();
  const TimePoint asked_at = loop_.now();
  stop_by_ = saturating_add(asked_at, shutdown().timeout);  // the delay is a part of it
  const Error cause = Error::closed("the stack goes down: " + ending.reason);
  if (announcements_) announcements_->withdraw_all(supervisor_.services());
  if (shutdown().delay > Duration::zero() && !kill_asked_) {
    supervisor_.begin_shutdown();
    auto hurried = on(signalled_);
    auto over = after(loop_, shutdown().delay);
    co_await select(ctx, hurried, over);
  }
  supervisor_.stop_everything(stop_by_, cause);
  long_waits_.look(false);  // the wait for the start is over
  long_waits_.look(supervisor_.is_waiting());
  if (kill_asked_) kill_everything(cause);
  co_await until_at_rest(ctx, cause);
  name_strays();
  judge_the_stop();
  write_history(ending, asked_at);
  if (live_) live_->end();
  pump_.say("stopped after " + text_of(loop_.now() - asked_at));
}

Task<void> Daemon::until_at_rest(Context& ctx, const Error& cause) {
  Wakeup changed(loop_, "going down");
  const Watching watching(supervisor_, changed);
  while (!supervisor_.is_at_rest()) {
    auto moved = on(changed);
    auto signalled = on(signalled_);
    co_await select(ctx, moved, signalled);
    if (kill_asked_) kill_everything(cause);
  }
}

// When going down in good order broke: without delay and without mercy, but to the end.
Task<void> Daemon::go_down_at_once(Context& ctx, const Error& cause) {
  supervisor_.stop_everything(loop_.now(), cause);
  supervisor_.kill_everything(cause);
  co_await until_at_rest(ctx, cause);
}

void Daemon::kill_everything(const Error& cause) {
  if (!std::exchange(kill_told_, true) && !stop_requests_.why_killed().empty())
    pump_.say("killing everything: " + stop_requests_.why_killed());
  supervisor_.kill_everything(cause);
}

// `exec --strict-stop`: a service that ignores its stop is a bug that a green job would hide.
void Daemon::judge_the_stop() {
  if (!mode_.strict_stop || kill_asked_) return;
  std::string who;
  for (const auto& service : supervisor_.services()) {
    if (service->record().run.killed && !service->is_retired())
      (who += who.empty() ? "" : ", ") += service->name();
  }
  if (who.empty()) return;
  complain("cannot call this a success: " + who + " had to be killed (--strict-stop)");
  if (command_code_.value_or(0) == 0) command_code_ = exit_code::unavailable;
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

// Everything is closed, whatever fails on the way; what failed is said. From here on belfry does not count on
// what comes from outside: when only that could wake it, it is asleep.
Task<void> Daemon::close() {
  signals_.wait_in_background();
  poller_.wait_in_background();
  Context patience(loop_);
  ErrorGroup closing(patience, ErrorGroup::Policy::all_run, "closing");
  spawn(closing, "close server", close_server());
  spawn(closing, "end lives", end_lives());
  if (cluster_) spawn(closing, "leave cluster", leave_cluster());
  const Result<void> closed = co_await closing.wait(patience);
  if (!closed) notice("belfry", closed.error().text());
  if (kept_ && !supervisor_.has_stuck()) kept_->remove();
  constexpr Duration patience_with_a_disk = std::chrono::milliseconds(500);
  if (history_) history_->finish(patience_with_a_disk);
  co_await write_the_last_lines();
  const Result<void> polled = co_await poller_.stop();
  if (!polled) broken(polled.error().text());
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
  resources_.logs().keep_all();
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

// What etcd does not hear of in time runs out with the lease.
Task<Result<void>> Daemon::leave_cluster() {
  Context patience(loop_);
  const Result<void> left = co_await cluster_->stop(patience);
  co_return left;
}

Task<Result<void>> Daemon::end_lives() {
  co_await supervisor_.end();
  co_return Result<void>{};
}

}  // namespace belfry::daemon
