// What a start needs from the kernel beside the clone: log pipe, notify socket, environment, identity.
//
// Made while the service waits, so that at the bell only the clone is left (a pipe made at the bell costs
// 40 µs a link of a chain). A simulation provides nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "channels/error.hpp"
#include "system/launch.hpp"

namespace belfry::probes {
class ListenMonitor;
}

namespace belfry::daemon {

class Service;

// Owner: App, or a simulation. Lifecycle: outlives every service. Cancellation: none, nothing waits.
class Provisions {
 public:
  virtual ~Provisions() = default;
  // Binds the sockets that belfry listens on for the service (`listen:`): when it is asked to start, before
  // anything of the stack runs. They stay bound until release(). An error is for prepare() to report.
  virtual void bind_sockets(Service& service) = 0;
  // Completes `launch` for the service's next run; called again when it was called before and nothing was
  // started since. An error of kind `failed` is final (a socket that can't be bound); any other means that
  // this start can't be tried now (no descriptors are left, …).
  virtual Result<void> prepare(Service& service, system::Launch& launch) = 0;
  // User, directory and environment of the service, for a process that runs on its behalf (`exec` probes).
  virtual void apply(const Service& service, system::Launch& launch) const = 0;
  // Completes `launch` for a hook of the service: as the service's own processes are, its output included.
  virtual Result<void> prepare_hook(Service& service, system::Launch& launch) = 0;
  virtual void hook_started(Service& service) = 0;
  // The clone has been tried, or could not be prepared: what only the child needed is given back.
  virtual void started(Service& service) = 0;
  // A signal to the main process that the service has named itself (MAINPID=). False: it is gone.
  virtual bool signal_main(Service& service, int signo) = 0;
  // A process of the service is its main one although it did not say so. False: it is gone.
  virtual bool follow_main(Service&, pid_t) { return false; }
  // Reads what the service has said and written so far, so that an exit is judged with its last words known.
  virtual void drain(Service& service) = 0;
  // No process of it is left and none is about to start: gives everything back.
  virtual void release(Service& service) = 0;
  // How its output is recognised among an orphan's descriptors; 0: it has no pipe.
  [[nodiscard]] virtual ino_t log_pipe(const Service& service) const = 0;
  // The directory of its cgroup, as long as it has one; empty: it has none.
  [[nodiscard]] virtual std::string_view cgroup(const Service&) const { return {}; }
  // Whether the kernel killed in its cgroup for lack of memory since this was asked last.
  virtual bool ran_out_of_memory(Service&) { return false; }
  // What its listen notifier hears in this run; null: nobody listens to it.
  [[nodiscard]] virtual std::shared_ptr<probes::ListenMonitor> monitor(const Service&) const {
    return nullptr;
  }
};

}  // namespace belfry::daemon
