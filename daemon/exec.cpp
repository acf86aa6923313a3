// `belfry exec -- CMD`: up, wait until it is ready, run CMD, down; CMD's exit code.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "channels/select.hpp"
#include "daemon/app.hpp"
#include "daemon/daemon.hpp"

namespace belfry::daemon {

namespace {

// CMD: it owns the terminal and standard input; belfry passes on the signals that ask it to end.
// Owner: exec(). Lifecycle: one run. Cancellation: the context of run(): CMD is asked with SIGTERM.
class UserCommand final : system::ExitWatcher {
 public:
  UserCommand(Daemon& daemon, const ExecOptions& options)
      : daemon_(daemon), options_(options), patience_(daemon.loop()), exited_(daemon.loop(), "exited") {}

  // When the stack is up. Ends the daemon with the code that `exec` returns.
  Task<void> run(Context& ctx);

 private:
  Task<bool> until_up(Context& ctx);
  Task<void> run_command(Context& ctx);
  bool pass_on(int signal);
  void on_exit(pid_t pid, system::ExitStatus status) override {
    if (tty_ >= 0) ::tcsetpgrp(tty_, ::getpgrp());
    pid_ = 0;
    (void)pid;
    exited_.ring(status);
  }

  Daemon& daemon_;
  const ExecOptions& options_;
  Context patience_;
  Bell<system::ExitStatus> exited_;
  pid_t pid_ = 0;
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
  for (;;) {
    auto up = on(stack.up());
    auto moved = on(changed);
    auto late = after(daemon_.loop(), options_.timeout);
    const std::size_t which = co_await select(ctx, up, moved, late);
    if (which == select_cancelled || stack.up().rung()) break;
    if (stack.start_is_hopeless()) why = "cannot run the command: the stack will not be ready";
    if (which == 2) why = "cannot run the command: the stack was not ready in time (--timeout)";
    if (!why.empty()) break;
  }
  stack.unwatch(changed);
  if (why.empty()) co_return stack.up().rung() && !ctx.cancelled();
  std::string text = "belfry: " + why + "\n";
  for (const std::string& culprit : stack.culprits()) text += "  " + culprit + "\n";
  std::fputs(text.c_str(), stderr);
  daemon_.ask_to_end({.code = 69, .reason = "not ready"});
  co_return false;
}

Task<void> UserCommand::run_command(Context& ctx) {
  system::Launch launch;
  launch.set_command(options_.command);
  launch.set_environment(daemon_.provisions().inherited(), {});
  launch.add_variable("BELFRY_SOCKET", daemon_.control_socket());
  for (const auto& [name, port] : daemon_.stack().ports)
    launch.add_variable("PORT_" + name, std::to_string(port));
  launch.standard_input = STDIN_FILENO;
  launch.new_session = false;
  if (::isatty(STDIN_FILENO) == 1) launch.foreground_tty = tty_ = STDIN_FILENO;
  const auto pid = daemon_.processes().spawn(launch, *this);
  if (!pid) {
    std::fprintf(stderr, "belfry: cannot run the command: %s\n",
                 pid.error().text(options_.command.front()).c_str());
    daemon_.ask_to_end(
        {.code = pid.error().errnum == ENOENT ? 127 : 126, .reason = "the command could not be run"});
    co_return;
  }
  pid_ = *pid;
  daemon_.signal_filter = [this](int signal) { return pass_on(signal); };
  const Outcome ended = co_await exited_.wait(ctx);
  if (ended.cancelled()) {
    // The stack cannot go on without an essential service, so neither can the command.
    daemon_.processes().signal({.leader = pid_, .marker = {}, .log_pipe = 0}, SIGTERM, system::Scope::group);
    co_await exited_.wait(patience_);
  }
  daemon_.signal_filter = {};
  daemon_.ask_to_end({.code = exited_.value().shell_code(),
                      .reason = options_.command.front() + " " + exited_.value().text()});
}

bool UserCommand::pass_on(int signal) {
  if (pid_ == 0) return false;
  daemon_.processes().signal({.leader = pid_, .marker = {}, .log_pipe = 0}, signal, system::Scope::group);
  return true;
}

}  // namespace

int exec(const ExecOptions& options) {
  const Manner manner{.tcp_by_default = false, .private_socket = true, .services = options.services};
  return with_daemon(options, manner, [&options](Daemon& daemon) {
    UserCommand command(daemon, options);
    return daemon.serve([&command](Context& ctx) { return command.run(ctx); });
  });
}

}  // namespace belfry::daemon
