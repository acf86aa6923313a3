// `belfry exec -- CMD`: up, wait until it is ready, run CMD, down; CMD's exit code.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <utility>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "config/model/duration.hpp"
#include "config/model/exit_codes.hpp"
#include "daemon/run/app.hpp"
#include "daemon/run/daemon.hpp"
#include "daemon/run/exec_command.hpp"
#include "daemon/run/exec_verdict.hpp"
#include "daemon/run/held_output.hpp"
#include "daemon/why/explain.hpp"
#include "daemon/why/text.hpp"
#include "system/open_file.hpp"
#include "system/owned_fd.hpp"
#include "system/proc.hpp"
#include "system/terminal.hpp"
#include "text/escape.hpp"

namespace belfry::daemon {

namespace {

// The time in which CMD has to end when the stack can't go on, and in which whatever it has left behind has
// to end when CMD has ended: as much as a service has by default, but never more than the whole shutdown.
constexpr Duration most_to_end = std::chrono::seconds(10);
constexpr Duration sigkill_takes = std::chrono::seconds(2);

// CMD of the command line: it owns the terminal and standard input; belfry passes on to it the signals that
// ask belfry to end. Owner: exec(). Cancellation: the context of run(); CMD is then asked to end with
// SIGTERM, and killed in the end.
class UserCommand final : system::ExitWatcher, system::TreeWatcher {
 public:
  UserCommand(Daemon& daemon, const ExecOptions& options, Verdict& verdict)
      : daemon_(daemon),
        options_(options),
        verdict_(verdict),
        marker_(daemon.stack().name + "/exec#1"),
        exited_(daemon.loop(), "exited"),
        gone_(daemon.loop(), "gone") {}

  // When the stack is up. Ends the daemon with the code that `exec` returns.
  Task<void> run(Context& ctx);

 private:
  Task<bool> until_up(Context& ctx);
  Task<void> run_command(Context& ctx);
  Task<void> end_command();
  Task<void> end_what_it_left();
  Task<void> until_the_dying_have_ended();
  bool somebody_is_dying();
  int judge();
  Task<void> keep_the_stack(Context& ctx);
  bool pass_on(int signal);
  void signal(int number, system::Scope scope) { daemon_.processes().signal(tree(), number, scope); }
  [[nodiscard]] Duration time_to_end() const { return std::min(most_to_end, daemon_.shutdown().timeout); }
  void say_killed(const std::string& who) {
    daemon_.say(who + " did not end within " + config::to_string(time_to_end()) + ": killed");
  }
  [[nodiscard]] system::TreeId tree() const { return {.leader = leader_, .marker = marker_, .log_pipe = 0}; }
  void on_tree_empty(pid_t) override { gone_.ring(); }
  void on_exit(pid_t pid, system::ExitStatus status) override {
    if (tty_ >= 0) system::take_terminal_back(tty_);
    pid_ = 0;
    (void)pid;
    exited_.ring(status);
  }

  Daemon& daemon_;
  const ExecOptions& options_;
  Verdict& verdict_;
  Sequence begun_with_ = 0;  // of the journal
  TimePoint begun_at_{};
  std::string marker_;
  Bell<system::ExitStatus> exited_;
  Bell<> gone_;  // with everything it started
  pid_t pid_ = 0;
  pid_t leader_ = 0;  // of its process group, also after its end
  bool asked_to_end_ = false;
  int tty_ = -1;
};

Task<void> UserCommand::run(Context& ctx) {
  const bool up = co_await until_up(ctx);
  if (up) co_await run_command(ctx);
}

Task<bool> UserCommand::until_up(Context& ctx) {
  Supervisor& stack = daemon_.supervisor();
  Wakeup changed(daemon_.loop(), "exec");
  stack.watch(changed);
  std::string why;
  const TimePoint deadline = saturating_add(daemon_.loop().now(), options_.timeout);
  bool is_late = false;
  for (;;) {
    // Before each wait: what was hopeless when the watch began changes no more.
    if (const auto hopeless = stack.start_is_hopeless())
      why = "cannot run the command: " + *hopeless;
    else if (is_late)
      why = "cannot run the command: the stack was not ready in time (--timeout)";
    if (!why.empty()) break;
    auto up = on(stack.up());
    auto moved = on(changed);
    auto late = by(daemon_.loop(), deadline);
    const std::size_t which = co_await select(ctx, up, moved, late);
    if (which == select_cancelled || stack.up().rung()) break;
    is_late = which == 2;
  }
  stack.unwatch(changed);
  if (why.empty()) co_return stack.up().rung() && !ctx.cancelled();
  Explanation explanation = explain(stack.why_facts(std::nullopt));
  explanation.next.clear();  // the stack goes down now
  std::erase_if(explanation.help, [](const std::string& line) { return line.starts_with("`belfry start "); });
  if (!explanation.verdict.empty()) why += ": " + explanation.verdict;
  why += "\n" + details_of(explanation);
  if (why.ends_with('\n')) why.pop_back();
  daemon_.complain(why);
  daemon_.ask_to_end({.code = exit_code::unavailable, .reason = "not ready"});
  co_return false;
}

Task<void> UserCommand::run_command(Context& ctx) {
  system::Launch launch;
  launch.set_command(options_.command);
  launch.set_marker(marker_);
  launch.set_environment(daemon_.resources().inherited(), {});
  launch.add_variable("BELFRY_SOCKET", daemon_.control_socket());
  for (const auto& [name, port] : daemon_.stack().ports)
    launch.add_variable("PORT_" + name, std::to_string(port));
  std::vector<std::string> ambiguous;
  for (const auto& [name, value] : daemon_.supervisor().output_variables(ambiguous))
    launch.add_variable(name, value);
  for (const std::string& why : ambiguous) daemon_.say(why);
  if (const system::Guard* guard = daemon_.guard()) launch.add_variable(system::run_variable, guard->token());
  launch.standard_input = STDIN_FILENO;
  launch.new_session = false;
  if (system::is_terminal(STDIN_FILENO)) launch.foreground_tty = tty_ = STDIN_FILENO;
  begun_with_ = daemon_.supervisor().journal().next();
  begun_at_ = daemon_.loop().now();
  const auto pid = daemon_.processes().spawn(launch, *this);
  if (!pid) {
    daemon_.complain("cannot run the command: " + pid.error().text(options_.command.front()));
    daemon_.ask_to_end(
        {.code = pid.error().errnum == ENOENT ? exit_code::not_found : exit_code::not_executable,
         .reason = "the command could not be run"});
    co_return;
  }
  pid_ = leader_ = *pid;
  daemon_.signal_filter = [this](int signal) { return pass_on(signal); };
  const Outcome ended = co_await exited_.wait(ctx);
  if (ended.cancelled()) co_await end_command();
  if (!exited_.ended()) {
    daemon_.signal_filter = {};
    daemon_.processes().disown(pid_);
    daemon_.command_ended(exit_code::os_error);
    daemon_.ask_to_end(
        {.code = exit_code::os_error, .reason = options_.command.front() + " cannot be killed"});
    co_return;
  }
  co_await end_what_it_left();
  daemon_.signal_filter = {};
  if (!exited_.value().success() && !asked_to_end_) co_await until_the_dying_have_ended();
  const int code = judge();
  daemon_.command_ended(code);
  if (code != exit_code::ok && options_.keep && !asked_to_end_ && !ctx.cancelled())
    co_await keep_the_stack(ctx);
  daemon_.ask_to_end({.code = code, .reason = options_.command.front() + " " + exited_.value().text()});
}

// A command that fails because a service dies may end before it: whose end has begun is waited for, so that
// the verdict knows of it.
Task<void> UserCommand::until_the_dying_have_ended() {
  Wakeup changed(daemon_.loop(), "exec");
  daemon_.supervisor().watch(changed);
  Context patience(daemon_.loop());
  Context bounded(patience, daemon_.loop().now() + sigkill_takes);
  while (somebody_is_dying()) {
    const Result<void> moved = co_await changed.wait(bounded);
    if (!moved) break;
  }
  daemon_.supervisor().unwatch(changed);
}

// Its death is in the journal when nothing of its run is left.
bool UserCommand::somebody_is_dying() {
  bool anybody = false;
  for (const auto& service : daemon_.supervisor().services()) {
    const Run& run = service->record().run;
    const pid_t pid = service->main_pid();
    if (run.exit) {
      anybody = anybody || service->state() == State::stopping;
    } else if (pid != 0 && system::proc::is_dying(pid)) {
      (void)daemon_.processes().has_ended(pid);  // then it is told in the coming turn
      anybody = true;
    }
  }
  return anybody;
}

// Whether the command or the stack is to blame for a failure, before the stack goes down; and the code.
int UserCommand::judge() {
  const system::ExitStatus& end = exited_.value();
  if (end.success() || asked_to_end_) return end.shell_code();
  verdict_.command = options_.command.front() + " " + end.text();
  verdict_.lasted = daemon_.loop().now() - begun_at_;
  look_for_troubles(verdict_, daemon_.supervisor().journal(), begun_with_, begun_at_);
  daemon_.complain(text_of(verdict_));
  if (!verdict_.troubles.empty()) daemon_.blame(summary_of(verdict_));
  return verdict_.troubles.empty() ? end.shell_code() : options_.verdict_code.value_or(end.shell_code());
}

// Until somebody asks belfry to end.
Task<void> UserCommand::keep_the_stack(Context& ctx) {
  daemon_.complain("the stack stays up until Ctrl-C (--keep); look at it with: BELFRY_SOCKET=" +
                   daemon_.control_socket() + " belfry status");
  Bell<> nobody(daemon_.loop(), "kept");
  co_await nobody.wait(ctx);
}

// The stack cannot go on without an essential service, so neither can the command: it is asked to end, then
// killed.
Task<void> UserCommand::end_command() {
  signal(SIGTERM, system::Scope::group);
  Context patience(daemon_.loop());
  Context bounded(patience, saturating_add(daemon_.loop().now(), time_to_end()));
  const Outcome ended = co_await exited_.wait(bounded);
  if (!ended.cancelled()) co_return;
  say_killed(options_.command.front());
  signal(SIGKILL, system::Scope::tree);
  Context limited(patience, daemon_.loop().now() + sigkill_takes);
  co_await exited_.wait(limited);
  if (!exited_.ended()) daemon_.say("cannot kill " + text_of(daemon_.processes().survivors(tree())));
}

// What the command has started in the background is ended with it, as the services are.
Task<void> UserCommand::end_what_it_left() {
  TreeWatcher& watcher = *this;
  daemon_.processes().watch_tree(tree(), watcher);
  Context patience(daemon_.loop());
  const std::pair<int, Duration> steps[] = {{SIGTERM, time_to_end()}, {SIGKILL, sigkill_takes}};
  for (const auto& [number, time] : steps) {
    // Whether anybody is left is known a turn after the exit, and mostly nobody is.
    co_await yield(daemon_.loop());
    if (gone_.ended()) co_return;
    signal(number, system::Scope::tree);
    Context bounded(patience, saturating_add(daemon_.loop().now(), time));
    const Outcome gone = co_await gone_.wait(bounded);
    if (gone.rung()) co_return;
    if (number == SIGTERM) say_killed("what " + options_.command.front() + " left behind");
  }
  daemon_.processes().unwatch_tree(watcher);
}

// The command gets the first request to end and may take its time; at the second one everything of it is
// killed.
bool UserCommand::pass_on(int number) {
  const bool asks = number == SIGTERM || number == SIGINT;
  if (pid_ == 0) {
    // The processes that it has left have been asked to end already; a further request kills them.
    const bool insists = number == SIGQUIT || (asks && std::exchange(asked_to_end_, true));
    if (insists && leader_ != 0 && !gone_.ended()) signal(SIGKILL, system::Scope::tree);
    return false;
  }
  if (asks && std::exchange(asked_to_end_, true)) {
    signal(SIGKILL, system::Scope::tree);
    return false;
  }
  signal(number, system::Scope::group);
  return true;
}

// Where the lines of belfry and its services go. `file` owns it where that is a file.
Result<int> open_logs(const std::string& path, system::OwnedFd& file) {
  if (path.empty()) return STDERR_FILENO;
  if (path == "-") return STDOUT_FILENO;
  auto opened = system::open_to_append(path);
  if (!opened) return std::unexpected(Error::from_errno(opened.error(), "cannot write the logs to " + path));
  file = std::move(*opened);
  return file.get();
}

void say_failure(const std::string& what, const Error& why) {
  print_error("belfry: cannot " + what + ": " + why.text() + "\n");
}

// The command may still be there with its reader half-way: the file is replaced and not written over.
Result<void> replace_file(const std::string& path, const std::string& text) {
  const std::string beside = path + ".belfry";
  std::ofstream out(beside, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return std::unexpected(Error::from_errno(errno, "cannot write " + beside));
  if (std::rename(beside.c_str(), path.c_str()) == 0) return {};
  return std::unexpected(Error::from_errno(errno, "cannot replace " + path));
}

Result<void> add_to_junit(const std::string& path, const Verdict& verdict) {
  constexpr std::size_t largest_report = std::size_t{64} << 20;
  const auto report = system::read_file_of(std::nullopt, path, largest_report);
  if (!report) return std::unexpected(Error::from_errno(report.error(), "cannot read it"));
  auto changed = with_junit_property(*report, verdict);
  if (!changed) return std::unexpected(changed.error());
  return replace_file(path, *changed);
}

constexpr const char* gitlab_report = "gl-code-quality-report.json";

// When the stack is down, and nobody waits for a file any more.
void pass_on(const ExecOptions& options, const Verdict& verdict) {
  if (options.annotate == "github" && !verdict.troubles.empty()) print_error(github_annotations(verdict));
  if (options.annotate == "gitlab") {
    const std::string file = options.files.empty() ? "belfry.yaml" : options.files.front();
    if (const auto written = replace_file(gitlab_report, code_quality_report(verdict, file)); !written)
      say_failure("write the report for GitLab", written.error());
  }
  if (options.junit.empty()) return;
  if (const auto added = add_to_junit(options.junit, verdict); !added)
    say_failure("add the verdict to " + options.junit, added.error());
}

}  // namespace

int exec(const ExecOptions& options) {
  if (auto code = refuse_command(options.command)) return *code;
  system::OwnedFd file;  // of the logs, where they go to one
  const auto output = open_logs(options.logs, file);
  if (!output) {
    print_error("belfry: " + output.error().text() + "\n");
    return exit_code::os_error;
  }
  const auto held = options.quiet ? std::make_shared<HeldLines>() : nullptr;
  const RunMode mode{.tcp_by_default = false,
                     .private_socket = true,
                     .has_command = true,
                     .services = options.services,
                     .held = held,
                     .strict_stop = options.strict_stop,
                     .witness = options.witness,
                     .output = *output};
  Verdict verdict;
  const int code = with_daemon(options, mode, [&options, &verdict](Daemon& daemon) {
    UserCommand command(daemon, options, verdict);
    return daemon.serve([&command](Context& ctx) { return command.run(ctx); });
  });
  // They were kept as they came; a terminal would obey some of it.
  if (held && code != exit_code::ok)
    print_error(system::is_terminal(STDERR_FILENO) ? text::visible_lines(held->text()) : held->text());
  pass_on(options, verdict);
  return code;
}

}  // namespace belfry::daemon
