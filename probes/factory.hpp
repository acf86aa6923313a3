// From a probe in the file to a probe that can be asked.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "channels/error.hpp"
#include "channels/time/time.hpp"
#include "config/model/model.hpp"
#include "probes/probe.hpp"
#include "system/launch.hpp"
#include "system/process.hpp"

namespace belfry {
class Loop;
}
namespace belfry::system {
class Processes;
}

namespace belfry::probes {

class ListenMonitor;
class RemoteServices;

// How a probe's own process (exec) is to run: as the service does, but with its own command.
class LaunchTemplate {
 public:
  virtual void configure(system::Launch& launch) const = 0;  // user, environment, working directory

 protected:
  ~LaunchTemplate() = default;
};

// About whom the probe asks. Copied by the probe where it needs it; `tree.marker` and `launch` must
// outlive the probe.
struct ProbeContext {
  std::string service;                     // name, for messages
  system::TreeId tree;                     // whose sockets count (port); leader 0 for an external: anybody's
  const LaunchTemplate* launch = nullptr;  // null: belfry's own environment and user
  std::shared_ptr<ListenMonitor> monitor = {};  // what its notifier hears; null: belfry does not run it
  std::optional<TimePoint> began = {};          // the run, its pre_start included; empty: with its leader
  Publisher* publisher = nullptr;  // of what it finds out; outlives the probe; null: nobody wants to know
  std::optional<Duration> asked_every = {};  // once it is true; empty: no more
};

// True for the kinds whose truth arrives as an event of the service (notify, fd, log, listen) and that
// are therefore never made by a factory.
[[nodiscard]] bool is_event(config::Probe::Kind kind);

class Factory {
 public:
  virtual ~Factory() = default;
  // Make it after the spawn, when the tree is known. Error kind invalid: "cannot probe: kind … is not
  // supported yet", or a target that does not parse.
  virtual Result<std::unique_ptr<Probe>> make(const config::Probe& probe, const ProbeContext& context) = 0;
};

// Owner: the Daemon. Lifecycle: outlives every probe it made.
class NativeFactory final : public Factory {
 public:
  NativeFactory(Loop& loop, system::Processes& processes);
  // Where nobody looks after processes: `exec` is refused.
  explicit NativeFactory(Loop& loop);
  ~NativeFactory() override;
  Result<std::unique_ptr<Probe>> make(const config::Probe& probe, const ProbeContext& context) override;
  // Who knows what other hosts publish, and outlives it; nobody: `cluster` is refused.
  void ask_others_by(RemoteServices& others);

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace belfry::probes
