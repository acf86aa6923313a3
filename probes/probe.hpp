// "Is it ready?", asked once. When to ask again is the schedule's business, not the probe's.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"
#include "channels/time/time.hpp"

namespace belfry::probes {

// True, or why not: "cannot connect to 127.0.0.1:5432: Connection refused".
using CheckResult = Result<void>;
using SystemTime = std::chrono::system_clock::time_point;

// Who was found, for the journal.
struct Sighting {
  std::uint16_t port = 0;  // where it listens; 0: that is not what was looked for
  pid_t pid = 0;           // who listens; 0: nobody knows
};

// Told on the loop's thread, from outside of any check.
class NewsListener {
 public:
  virtual void on_news() = 0;

 protected:
  ~NewsListener() = default;
};

// Told what a probe has found out beside the answer (`port: any`: which one), before the check ends.
class Publisher {
 public:
  virtual void publish(std::string_view key, std::string_view value) = 0;
  // All that is known now, in the place of all that was: of a service that belfry does not run, whose values
  // may change while it stays ready.
  virtual void publish_anew(std::vector<std::pair<std::string, std::string>>) {}

 protected:
  ~Publisher() = default;
};

// Owner: the incarnation it asks about; made by a Factory.
// Lifecycle: any number of checks, one at a time.
// Cancellation: `check` ends within a turn of its context's cancellation, with that cause as error, and
//   leaves nothing behind (sockets closed, child processes killed and reaped).
class Probe {
 public:
  virtual ~Probe() = default;
  virtual Task<CheckResult> check(Context& ctx) = 0;

  // From now on `listener` is told when a check may have another answer than the last one; null: nobody is,
  // and what it takes to know is given back. For most kinds nobody tells.
  virtual void tell(NewsListener*) {}
  // After a check: whether every change of its answer will be told, so that it need not be asked in between.
  [[nodiscard]] virtual bool is_told() const { return false; }
  // As of when its last answer is known to be true. What is looked at is so when it is looked at; what was
  // told from afar is as old as it is.
  [[nodiscard]] virtual TimePoint known_as_of() const { return TimePoint::max(); }
  // Why nobody can be asked at the moment, though its last answer stays; empty: somebody can.
  [[nodiscard]] virtual Error doubt() const { return {}; }
  // Whoever decides by it needs to know how it is now. It pokes its listener when it does.
  virtual void look_afresh() {}
  // How long it is to be left alone after a check, whatever is told meanwhile: of one that is dear.
  [[nodiscard]] virtual Duration rest() const { return Duration::zero(); }

  // While it has never been true: how long until it wants to be asked again, after so many looks in vain
  // since the last event of its service (0: there was none). Duration::max(): not before the next event.
  // Empty: as the schedule says.
  [[nodiscard]] virtual std::optional<Duration> next_look(std::uint32_t) const { return std::nullopt; }
  // Whether a further look, at an event of its service, may find that it is true no more, and costs little.
  [[nodiscard]] virtual bool can_be_lost() const { return false; }
  // How it comes to know, for people: "port 8080: kernel event (seccomp)". Empty: its kind says it all.
  [[nodiscard]] virtual std::string method() const { return {}; }
  // Of one that is asked again and again though it could be told: how often and why, for people who can do
  // something about it: "asked every 10 ms (no CAP_SYS_ADMIN; …)". Empty: there is nothing to be done.
  [[nodiscard]] virtual std::string polling() const { return {}; }
  // After a check that was true.
  [[nodiscard]] virtual Sighting sighting() const { return {}; }
  // When the first certificate of those that the server showed at the last check ends. Empty: it showed none.
  [[nodiscard]] virtual std::optional<SystemTime> certificate_expiry() const { return std::nullopt; }
};

}  // namespace belfry::probes
