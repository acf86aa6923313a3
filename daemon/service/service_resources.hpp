// What one service is given by the machine beside the clone: log pipe, sockets, notify socket, cgroup,
// environment, identity.
//
// The problem: a pipe that is made at the bell costs 40 µs in every link of a chain, so it is made while the
// service waits; and what was made must be given back on every way out, also when nothing was started.
// The contract: prepare() any number of times, launched() after each try of a clone, release() when nothing
// of the service runs and nothing is about to. A simulation gives nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/error.hpp"
#include "daemon/service/outputs.hpp"
#include "daemon/service/service_ref.hpp"
#include "probes/factory.hpp"
#include "system/launch.hpp"
#include "system/owned_fd.hpp"
#include "system/process.hpp"
#include "system/usage.hpp"

namespace belfry::probes {
class ListenMonitor;
class PortHolders;
}  // namespace belfry::probes

namespace belfry::daemon {

// How processes of a run are recognised when they have left its process group.
struct TreeTraces {
  ino_t log_pipe = 0;       // an orphan may still have the run's output open; 0: it has no pipe
  std::string_view cgroup;  // the directory of its cgroup, as long as it has one; empty: it has none
};

// Beside what wait(2) says.
struct EndFacts {
  system::Usage usage{};        // all 0: it was not reaped here
  std::uint32_t oom_kills = 0;  // by the kernel, in the service's own cgroup
  // By the kernel on the whole machine since the run began; nothing: it cannot be known.
  std::optional<std::uint64_t> oom_kills_on_machine{};
  std::string core{};  // where it is, or why there is none: half a sentence
};

// Of a cgroup for the time of one run.
struct CgroupUsage {
  system::Usage usage;  // peak 0: this run has not raised what the cgroup knows as its peak
  std::uint32_t oom_kills = 0;
};

// Owner: the service. Lifecycle: from the first thing that it is given until release() says that nothing is
// left. As a LaunchTemplate it gives a process that runs on the service's behalf its user, directory and
// environment.
class ServiceResources : public probes::LaunchTemplate {
 public:
  virtual ~ServiceResources() = default;

  // Binds the sockets that belfry listens on for the service (`listen:`): when it is asked to start, before
  // anything of the stack runs. They stay bound until release(). An error is for prepare() to report.
  virtual void bind_sockets() = 0;
  // Where its sockets are, for a service whose `listen` refers to outputs: they are bound by the next
  // prepare(), those of before closed.
  virtual void listen_at(const std::vector<config::ListenSocket>& sockets) = 0;
  // A run begins: what the file of its outputs (`outputs: {file: …}`) holds by now is none of it.
  virtual void forget_outputs() = 0;
  // What the run has written into it.
  virtual Result<OutputList> read_outputs() = 0;
  // Completes `launch`, which has its command, for the next run; called again when it was called before and
  // nothing was started since. `ahead`: the service waits, and is not to take what running ones may need. An
  // error of kind `failed` is final (a socket that can't be bound); any other means that this start can't be
  // tried now.
  virtual Result<void> prepare(system::Launch& launch, bool ahead) = 0;
  // The clone has been tried, or could not be prepared (0): what only the child needed is given back.
  virtual void launched(pid_t pid) = 0;
  // Completes `launch` for a hook, which writes and is limited as the service is. The descriptor is the
  // hook's alone once its clone has been tried.
  virtual Result<system::OwnedFd> prepare_hook(system::Launch& launch) = 0;

  // A signal to the main process that the service has named itself (MAINPID=). False: it is gone.
  virtual bool signal_main(int signo) = 0;
  // A process of the service is its main one although it did not say so. False: it is gone.
  virtual bool follow_main(pid_t pid) = 0;
  // Reads what the service has said and written so far, so that an exit is judged with its last words known.
  virtual void drain() = 0;
  // Gives everything back. `may_come_back`: it is only blocked, and keeps the descriptors that it has stored.
  // True: nothing is left to be read or kept, and the handle may go.
  virtual bool release(bool may_come_back) = 0;

  [[nodiscard]] virtual TreeTraces traces() const = 0;
  // What the machine knows of the end of its main process, of which wait(2) has told `status`; also takes
  // note of what its cgroup has counted. Asked once of each end.
  virtual EndFacts facts_of_end(pid_t main, const system::ExitStatus& status) = 0;
  // What the run has written last, once: some 2 KiB at least, where there were so many. Empty where belfry
  // does not read it.
  virtual std::string take_last_words() = 0;
  // What its cgroup has counted since the run before; when nothing of the run is left. Nothing: it has none.
  virtual std::optional<CgroupUsage> take_cgroup_usage() = 0;
  // Whom to ask who has a port; null: nobody knows.
  virtual probes::PortHolders* port_holders() { return nullptr; }
  // What its listen notifier hears in this run; null: nobody listens to it.
  [[nodiscard]] virtual std::shared_ptr<probes::ListenMonitor> listen_monitor() const = 0;
};

// Owner: the daemon, or a simulation. Lifecycle: outlives every service.
class ResourceProvider {
 public:
  // Its events hear of everything that comes back.
  virtual std::unique_ptr<ServiceResources> open(const ServiceRef& service) = 0;
  // The last lines that the service of this index has written in this run, at most so many; none where nobody
  // keeps them. They are as they were written: secrets are still in them.
  [[nodiscard]] virtual std::vector<std::string> last_lines(std::size_t /*service*/, std::uint64_t /*run*/,
                                                            std::size_t /*most*/) const {
    return {};
  }

  // --- a reload
  // A service of this index, perhaps a new one, is to be so. Looks up, makes and binds whatever can be,
  // before anything is touched; `frees`: others stop first, who may have the addresses that it is to get.
  // What was made is kept until place() of the same index, or forget_admitted().
  virtual Result<void> admit(std::size_t /*index*/, const config::Service& /*spec*/, bool /*frees*/) {
    return {};
  }
  virtual void forget_admitted() {}
  // What belfry listens on for it stays bound, whatever the handle gives back, until place().
  virtual void keep_sockets(std::size_t /*index*/) {}
  // It is so from now on, and nothing of it runs, or runs on as before.
  virtual void place(std::size_t /*index*/, const config::Service& /*spec*/) {}
  // There will be no service of this index any more.
  virtual void forget(std::size_t /*index*/) {}

 protected:
  ~ResourceProvider() = default;
};

}  // namespace belfry::daemon
