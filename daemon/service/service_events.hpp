// What comes back to a service from below: what its run says, writes, opens, and how its main process ends.
//
// The problem: sockets, pipes and descriptors of a run live beside the service, and whoever reads them must
// not call into it as it pleases. This is all that they may say, and all that they may ask.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "daemon/journal/evidence.hpp"
#include "daemon/service/notify_message.hpp"
#include "daemon/state/notify_refusal.hpp"
#include "system/process.hpp"

namespace belfry::daemon {

// A piece of news: all probes of a kind are true (READY=1), or just the one that was listened for.
struct Heard {
  config::Probe::Kind kind;
  const config::Probe* only = nullptr;
  pid_t pid = 0;             // who said so, where that is known
  std::string_view words{};  // the line that matched; no more of it than the call lasts
  [[nodiscard]] bool is(const config::Probe& probe) const {
    return only != nullptr ? &probe == only : probe.kind == kind;
  }
};

// Of the probe at this place of its set.
[[nodiscard]] inline Evidence evidence_of(const Heard& what, std::size_t place) {
  return {.probe = what.kind,
          .place = static_cast<std::uint8_t>(place),
          .port = 0,
          .pid = what.pid,
          .words = what.words};
}

// Whose word counts, and who is running at all. The view lives until the loop's next turn.
struct RunFacts {
  bool running = false;     // a process of the run may exist
  std::uint64_t runs = 0;   // so far, this one included
  pid_t pid = 0;            // of the process that was started; 0: none
  pid_t main = 0;           // of the main process
  pid_t leader = 0;         // of the run's process group
  pid_t hook = 0;           // the hook that runs
  pid_t reloader = 0;       // the reload command that runs
  std::string_view marker;  // of the current run: "shop/db#3"
};

// Owner: the service, which implements it. Each call counts in the run that is there, and says nothing of the
// next one. Thread rules: the loop's thread.
class ServiceEvents {
 public:
  // A whole message, of somebody who may say it.
  virtual void said(const NotifyMessage& message) = 0;
  virtual void refused(NotifyRefusal why) = 0;
  virtual void descriptors_stored(std::uint32_t held) = 0;
  virtual void descriptors_refused(std::size_t how_many) = 0;
  // 0: the process that was started is the main one again.
  virtual void main_process_is(pid_t pid) = 0;
  virtual void main_ended(pid_t pid, std::optional<system::ExitStatus> status) = 0;
  // Something happened that makes probes true, and is a reason to ask the others at once.
  virtual void heard(const Heard& what) = 0;
  // Its run publishes a value (a named group of a `log` probe); before heard() of the same news.
  virtual void publish(std::string_view key, std::string_view value) = 0;
  // A ready descriptor was closed in silence: the last error of an `s6` one, a failed start for `dinit`.
  virtual void never_heard(const config::Probe& which, const Error& why) = 0;
  // It has called listen(2), or bound a UDP socket, or lost one: what probes wait for may have changed.
  virtual void sockets_changed() = 0;
  virtual void lines_dropped(std::uint64_t lines) = 0;

  [[nodiscard]] virtual RunFacts facts() const = 0;

 protected:
  ~ServiceEvents() = default;
};

}  // namespace belfry::daemon
