// The commands that accompany a run: before its start, after it is ready, before its stop, after its end.
//
// A hook belongs to the run: its user, directory, environment, output and marker are the service's, what it
// leaves behind is part of the service's tree. It is bounded by its phase, and given up when the phase is
// (systemd.service(5), ExecStartPre= and its kin).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/task.hpp"
#include "channels/wakeup.hpp"
#include "config/model/model.hpp"
#include "daemon/service/service_resources.hpp"
#include "system/launch.hpp"
#include "system/processes.hpp"

namespace belfry::daemon {

enum class Hook : std::uint8_t { pre_start, post_start, pre_stop, post_stop };

// Null: the service has none of this kind.
[[nodiscard]] const config::Command* command_of(const config::Service& service, Hook which);
// "pre_start of db".
[[nodiscard]] std::string text_of(Hook which, std::string_view service);
// One of the start, whose failure is the start's; a stop goes on whatever its hooks do.
[[nodiscard]] constexpr bool is_of_start(Hook which) {
  return which == Hook::pre_start || which == Hook::post_start;
}

// What the phase of the service says, asked again after each piece of news: a shutdown may begin meanwhile.
struct HookTerms {
  // When it is killed, as things are.
  std::function<TimePoint(TimePoint began)> deadline;
  // What it is for does not come any more: it is asked to end, and has so long for that.
  std::function<bool()> is_pointless;
  Duration patience{0};
  // Something else to look after meanwhile; returns when to look again.
  std::function<TimePoint()> look_around;
  // It has been cloned.
  std::function<void(pid_t)> started;
};

// Owner: the service, while the hook runs.
// Lifecycle: made with everything that the clone needs; perform() once.
// Cancellation: by the context of perform(); the process is then left to the tree of its service.
class HookRun final : system::ExitWatcher {
 public:
  // `attention` is notified of everything that the terms depend on, the exit included.
  HookRun(Loop& loop, system::Processes& processes, Wakeup& attention, Hook which, std::string what,
          HookTerms terms);
  ~HookRun();
  HookRun(const HookRun&) = delete;
  HookRun& operator=(const HookRun&) = delete;

  // Runs it to its end. True: it exited with 0. False without an error: it was pointless. `child` is closed
  // once the clone has been tried.
  Task<Result<bool>> perform(Context& ctx, system::Launch& launch, system::OwnedFd child);

  [[nodiscard]] Hook which() const { return which_; }
  // Of the process; 0: there is none any more.
  [[nodiscard]] pid_t pid() const { return pid_; }
  void kill();

 private:
  void on_exit(pid_t pid, system::ExitStatus status) override;
  Task<void> wait(Context& ctx, TimePoint began);
  [[nodiscard]] Result<void> clone(system::Launch& launch, system::OwnedFd child);
  void give_up();

  Loop& loop_;
  system::Processes& processes_;
  Wakeup& attention_;
  Hook which_;
  std::string what_;
  HookTerms terms_;
  pid_t pid_ = 0;
  bool asked_ = false;  // to end, because it was pointless
  Error error_;
  std::optional<system::ExitStatus> exit_{};
};

}  // namespace belfry::daemon
