// `exec: [cmd]`: true when it exits with 0.
#include <csignal>

#include "channels/bell.hpp"
#include "probes/kinds.hpp"
#include "probes/output_tail.hpp"

namespace belfry::probes {

namespace {

// Owner: ProbeWatch. Lifecycle: one process at a time. Cancellation: the process's group is killed, and
// check() returns when it has been reaped.
class ExecProbe final : public Probe {
 public:
  ExecProbe(Loop& loop, system::Processes& processes, const config::Probe& spec, const LaunchTemplate* as)
      : loop_(loop), processes_(processes), command_(spec.command->front()) {
    launch_.set_command(*spec.command);
    if (as != nullptr) as->prepare(launch_);
  }

  Task<Outcome> check(Context& ctx) override {
    OutputTail output(loop_);
    if (auto laid = output.lay(launch_); !laid) co_return std::unexpected(laid.error());
    Exit exit(loop_);
    const auto pid = processes_.spawn(launch_, exit);
    output.passed();
    if (!pid)
      co_return std::unexpected(
          Error(Error::Kind::failed, "cannot run the probe: " + pid.error().text(command_)));
    const Outcome_ ended = co_await exit.bell.wait(ctx);
    if (ended.cancelled()) {
      processes_.signal({.leader = *pid, .marker = {}, .log_pipe = 0}, SIGKILL, system::Scope::group);
      Context patience(loop_);  // a killed process is reaped soon; its exit must not find us gone
      co_await exit.bell.wait(patience);
      co_return std::unexpected(
          ended.cause.wrap("the probe " + command_ + " was killed" + output.last_line()));
    }
    const system::ExitStatus status = exit.bell.value();
    if (!status.success())
      co_return std::unexpected(
          Error(Error::Kind::failed, "the probe " + command_ + " " + status.text() + output.last_line()));
    co_return Outcome{};
  }

 private:
  using Outcome_ = belfry::Outcome;
  struct Exit final : system::ExitWatcher {
    explicit Exit(Loop& loop) : bell(loop, "probe exit") {}
    void on_exit(pid_t, system::ExitStatus status) override { bell.ring(status); }
    Bell<system::ExitStatus> bell;
  };

  Loop& loop_;
  system::Processes& processes_;
  system::Launch launch_;
  std::string command_;
};

}  // namespace

Made make_exec(Loop& loop, system::Processes& processes, const config::Probe& spec,
               const ProbeContext& about) {
  if (spec.command->empty())
    return std::unexpected(Error(Error::Kind::invalid, "cannot probe: `exec` has no command"));
  return std::make_unique<ExecProbe>(loop, processes, spec, about.launch);
}

}  // namespace belfry::probes
