// What the outside may see of the stack: plain values for HTTP, metrics and the CLI.
//
// The supervisor implements `StackView`; HTTP knows nothing else of it, so that the wire format can
// be tested against a stack made of literals.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"
#include "channels/time/time.hpp"
#include "config/model/model.hpp"
#include "daemon/state/counters.hpp"
#include "daemon/state/notify_refusal.hpp"
#include "daemon/state/past_run.hpp"
#include "daemon/state/service_state.hpp"
#include "daemon/view/command.hpp"
#include "daemon/why/facts.hpp"

namespace belfry::daemon {

// What one waits for: a condition, of which an own bell has a name besides.
struct Level {
  config::Condition condition = config::Condition::ready;
  std::string bell{};    // Condition::own_bell only
  bool negated = false;  // that it does not hold, or no longer
};

struct BellView {
  std::string_view name;
  bool rung = false;  // in the current run
};

// What a run of it has published.
struct OutputView {
  std::string_view key;
  std::string_view value;  // "***" when it is secret
};

// When a certificate ends that a server has shown to one of the service's probes.
struct CertificateView {
  std::string probe;  // "ready 0 http": the set, the place in it, the kind
  std::chrono::system_clock::time_point expiry;
};

// When a oneshot that runs by itself does so.
struct ScheduleView {
  std::string text;               // "every 10m", "0 3 * * * (Europe/Zurich)"
  std::optional<TimePoint> next;  // nothing: it was stopped by command, or never comes
  bool is_queued = false;         // a run is due, and begins when the one before it has ended
  std::uint64_t missed = 0;       // runs that were due while nobody could start them
  std::uint64_t skipped = 0;      // and while the one before had not ended
};

// One service at one moment. The string views live until the loop's next turn.
struct ServiceView {
  std::string_view name;
  config::ServiceType type = config::ServiceType::daemon;
  State state = State::inactive;
  bool ready = false;   // its default level holds
  bool wanted = false;  // counts for /readyz
  bool ignored_by_health = false;
  std::optional<int> pid;
  TimePoint since{};  // when it entered the state (monotonic)
  std::uint64_t incarnation = 0;
  std::uint64_t restarts = 0;
  std::vector<BellView> bells;                         // of its own; rung in the current run or not
  std::vector<OutputView> outputs;                     // of the current run
  std::vector<std::string> waiting_for;                // "db ready", "cache started"
  std::vector<std::string_view> waiting_for_services;  // whom of the stack; not all of the above is somebody
  std::string last_error;                              // the whole cause chain; empty: none
  std::string status_text;                             // STATUS= of sd_notify
  std::string_view readiness_kind;                     // "notify", "port"; empty: none
  std::string readiness_method;           // "notify", "port 80: kernel event (seccomp)"; empty: none
  std::string readiness_polling;          // "asked every 10 ms (no CAP_SYS_ADMIN)"; empty: none
  std::optional<Duration> time_to_ready;  // of the current incarnation: start to bell
  ServiceCounters counters;
  NotifyTally notify;  // what its notify socket has seen
  std::vector<CertificateView> certificates;
  std::optional<ScheduleView> schedule;
};

// An edge of a service, and since when it held when the service started; of one that has not: since when it
// holds now. Empty: it does not, or was not needed.
struct EdgeTimeView {
  std::string_view on;
  std::string_view condition;  // "ready", or the name of an own bell
  bool required = true;
  std::optional<TimePoint> holds_since;
};

// How far a service came, and when, in the start that somebody asked for last. What was not reached is empty.
struct TimelineView {
  std::optional<TimePoint> wanted, waiting, starting, started, ready, stopped;
  std::uint32_t incarnation = 0;
  std::uint32_t attempts = 0;  // runs in this start
  std::vector<EdgeTimeView> edges{};
};

// Of the stack.
struct StartView {
  std::optional<TimePoint> begun, up;
};

// A file that the stack was read from, as it was then.
struct SourceFile {
  std::string path;           // absolute
  std::int64_t modified = 0;  // ns since the epoch; 0: nobody knows
};

class StackView {
 public:
  virtual ~StackView() = default;
  [[nodiscard]] virtual std::string_view stack_name() const = 0;
  // Every index is below it. After a reload some may have no service any more.
  [[nodiscard]] virtual std::size_t service_count() const = 0;
  // The indices of the services that there are, in the order of the file.
  [[nodiscard]] virtual std::vector<std::size_t> shown() const {
    std::vector<std::size_t> all(service_count());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }
  [[nodiscard]] virtual ServiceView service(std::size_t index) const = 0;
  [[nodiscard]] virtual std::optional<std::size_t> find(std::string_view name) const = 0;
  [[nodiscard]] virtual const ServiceTimes* times(std::size_t index) const = 0;  // null: nothing observed yet
  // The last ones of the service that are over, the oldest first; until the next turn.
  [[nodiscard]] virtual const PastRuns& past_runs(std::size_t index) const = 0;
  // Every wanted service is ready and the stack is not going down.
  [[nodiscard]] virtual bool stack_ready() const = 0;
  [[nodiscard]] virtual bool started_up() const = 0;  // the first start has completed; stays so
  [[nodiscard]] virtual bool shutting_down() const = 0;
  [[nodiscard]] virtual TimePoint now() const = 0;

  // Why waiting longer for the start is of no use; nothing: it may still come up.
  [[nodiscard]] virtual std::optional<std::string> start_is_hopeless() const { return std::nullopt; }
  [[nodiscard]] virtual std::vector<SourceFile> sources() const { return {}; }

  [[nodiscard]] virtual TimelineView timeline(std::size_t index) const = 0;
  [[nodiscard]] virtual StartView start() const = 0;
  // What may explain why this service is not up, or why the stack is not ready; with the services below.
  [[nodiscard]] virtual StackFacts why_facts(std::optional<std::size_t> service) const = 0;

  // Waits until the service's level of this condition holds. The error says why it never will (Kind::failed),
  // that the daemon shuts down (Kind::closed), or that the caller left (cancelled, deadline_exceeded). A
  // negated level can always come to hold.
  virtual Task<Result<void>> wait_for(Context& ctx, std::size_t service, Level level) = 0;
  // Runs a command to its end.
  virtual Task<CommandResult> command(Context& ctx, ServiceCommand command, std::size_t service,
                                      Manner manner) = 0;
  // Starts the graceful shutdown; returns at once.
  virtual void request_shutdown(std::string_view reason) = 0;
};

}  // namespace belfry::daemon
