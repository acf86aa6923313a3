// `belfry reload SERVICE`: lets a running service read its configuration again, and waits until it has.
#pragma once

#include <string>

#include "channels/context.hpp"
#include "channels/task.hpp"
#include "channels/wakeup.hpp"
#include "daemon/service/service.hpp"

namespace belfry::daemon {

// One reload, as `reload:` of the service says: a signal to its main process, or a command.
//
// A service with a `notify` probe then says RELOADING=1, and READY=1 when it is done (sd_notify(3); what
// began before our signal, by MONOTONIC_USEC, is not the answer to it). Many such services say nothing when
// they reload: one that has not begun within a moment is not waited for.
// Owner: the command that asked for it. Lifecycle: perform() once. Cancellation: by the context of perform().
class ServiceReload {
 public:
  ServiceReload(ServiceRuntime& runtime, Service& service);
  ServiceReload(const ServiceReload&) = delete;
  ServiceReload& operator=(const ServiceReload&) = delete;

  // What was done, in words. Kind::refused: it cannot be asked to (no `reload:`, it does not run);
  // Kind::failed: the command or the service failed; deadline_exceeded: `ready.timeout`, else a minute.
  Task<Result<std::string>> perform(Context& ctx);

 private:
  [[nodiscard]] Result<void> check() const;
  Task<Result<void>> run_command(Context& bounded);
  Task<Result<bool>> until_done(Context& bounded);
  [[nodiscard]] bool has_left() const;
  [[nodiscard]] bool has_begun() const { return service_.record().run.said.reload().began_at >= asked_at_; }
  [[nodiscard]] Error failure(const std::string& why) const;

  ServiceRuntime& runtime_;
  Service& service_;
  SharedSpec described_by_;  // keeps the next
  const config::ServiceExtras* how_;
  SharedIncarnation run_;
  Wakeup changed_;
  StateWatch watch_{changed_};
  TimePoint asked_at_{};
};

}  // namespace belfry::daemon
