// `exec: [cmd]`: true when it exits with 0.
#include "probes/kinds.hpp"
#include "probes/output_tail.hpp"
#include "system/command_run.hpp"

namespace belfry::probes {

namespace {

// Several probes of one service may run at the same time, and none may kill what another one has started.
std::string next_marker(const ProbeContext& about) {
  static std::uint64_t made = 0;
  const std::string_view whose = about.tree.marker.empty() ? about.service : about.tree.marker;
  return std::string(whose) + "+probe" + std::to_string(++made);
}

// There is one command at a time, and nothing of one is left when the next begins.
// Cancellation: everything of it is killed, and check() returns when it has been reaped.
class ExecProbe final : public Probe {
 public:
  ExecProbe(Loop& loop, system::Processes& processes, const config::Probe& spec, const ProbeContext& about)
      : loop_(loop), processes_(processes), command_(spec.command->front()), marker_(next_marker(about)) {
    launch_.set_command(*spec.command);
    if (about.launch != nullptr) about.launch->configure(launch_);
  }

  Task<CheckResult> check(Context& ctx) override {
    OutputTail output(loop_);
    if (auto ok = output.apply(launch_); !ok) co_return std::unexpected(ok.error());
    system::CommandRun run(loop_, processes_, marker_);
    const auto pid = run.begin(launch_, output.inode());
    output.passed();
    if (!pid) co_return std::unexpected(Error::failed("cannot run the probe: " + pid.error().text(command_)));
    const Outcome ended = co_await run.exited().wait(ctx);
    const Result<void> cleared = co_await run.clear();
    if (ended.cancelled())
      co_return std::unexpected(
          ended.cause.wrap("the probe " + command_ + " was killed" + output.last_line()));
    if (!cleared)
      co_return std::unexpected(cleared.error().wrap("the probe " + command_ + " left processes"));
    const system::ExitStatus status = run.exited().value();
    if (!status.success())
      co_return std::unexpected(
          Error::failed("the probe " + command_ + " " + status.text() + output.last_line()));
    co_return CheckResult{};
  }

 private:
  Loop& loop_;
  system::Processes& processes_;
  system::Launch launch_;
  std::string command_;
  std::string marker_;
};

}  // namespace

Made make_exec(Loop& loop, system::Processes& processes, const config::Probe& spec,
               const ProbeContext& about) {
  if (spec.command->empty())
    return std::unexpected(Error(Error::Kind::invalid, "cannot probe: `exec` has no command"));
  return std::make_unique<ExecProbe>(loop, processes, spec, about);
}

}  // namespace belfry::probes
