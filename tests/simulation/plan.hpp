// A history before it happens: services, what befalls them, what is asked of them, and when it ends.
//
// Everything follows from the seed, and what a process or probe does follows from the seed, the service's
// own number and the run alone: with a service or an event taken out, the rest behaves as before. That is
// what makes a failing history shrink.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/model/model.hpp"
#include "daemon/view/stack_view.hpp"
#include "tests/support/fake_probes.hpp"
#include "tests/support/fake_processes.hpp"

namespace belfry::simulation {

// splitmix64: small, and the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  // For one thing among many: which service, which run, which question.
  Dice(std::uint64_t seed, std::uint64_t who, std::uint64_t which, std::uint64_t what)
      : Dice(Dice(Dice(Dice(seed).next() + who).next() + which).next() + what) {}

  std::uint64_t next();
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : next() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  Duration between(Duration least, Duration most) {
    return least + Duration(static_cast<Duration::rep>(
                       below(static_cast<std::uint64_t>((most - least).count()) + 1)));
  }

 private:
  std::uint64_t state_;
};

enum class Readiness : std::uint8_t { none, notify, probe, rechecked, listen, fd_s6, fd_dinit };

struct PlannedEdge {
  std::uint32_t on = 0;  // number of the service
  config::Condition condition = config::Condition::ready;
  config::OnLoss on_loss = config::OnLoss::ignore;
  Duration loss_after{0};
  bool required = true;
  std::optional<Duration> timeout{};
  std::optional<std::uint32_t> quorum{};
  std::uint32_t bell = 0;  // Condition::own_bell: which
};

struct PlannedService {
  std::uint32_t number = 0;
  config::ServiceType type = config::ServiceType::daemon;
  Readiness readiness = Readiness::none;
  bool live = false;
  bool essential = false;
  std::optional<Duration> ready_timeout{};
  config::RestartPolicy policy = config::RestartPolicy::on_failure;
  std::uint32_t limit = 0;
  std::uint32_t quorum = 0;
  Duration stop_timeout{0};
  unsigned trouble = 0;     // percent
  std::uint32_t bells = 0;  // of its own
  std::uint32_t hooks = 0;  // bit i: the i-th of pre_start, post_start, pre_stop, post_stop
  bool main = false;
  std::uint32_t version = 0;  // of its command
  std::vector<PlannedEdge> edges;
};

struct PlannedEvent {
  enum class What : std::uint8_t { command, wait, exit, reload, pause, exchange };
  Duration at{0};
  What what = What::command;
  daemon::ServiceCommand command = daemon::ServiceCommand::start;
  std::uint32_t service = 0;  // of an exchange: which neighbour
  bool only = false;
  config::Condition condition = config::Condition::ready;
  std::optional<Duration> patience{};
};

struct Plan {
  std::uint64_t seed = 0;
  std::vector<PlannedService> services;
  std::vector<PlannedEvent> events;   // in the order of time
  std::vector<std::uint32_t> names;   // what is started; empty: everything
  std::optional<Duration> calm_at{};  // from then on everybody behaves, and the stack must come up
  Duration shutdown_at{0};
  Duration budget{0};
  std::optional<Duration> kill_after{};  // a second signal
  bool deaths_are_noticed_late = false;
  std::uint32_t parallel_starts = 0;
};

[[nodiscard]] Plan make_plan(std::uint64_t seed);
// The same stack after somebody has edited the file a little; `which` says what. Now and then nothing has
// changed.
[[nodiscard]] Plan make_neighbour(const Plan& plan, std::uint32_t which);
[[nodiscard]] config::Stack make_stack(const Plan& plan);
[[nodiscard]] std::string name_of(std::uint32_t number);
[[nodiscard]] std::uint32_t number_of(std::string_view name);
[[nodiscard]] std::string describe(const Plan& plan);
// The plan without one of its parts: services first, then events, then edges. Nothing when there is no such
// part.
[[nodiscard]] std::optional<Plan> without_part(const Plan& plan, std::size_t part);

// How long after a death the daemon learns of it.
[[nodiscard]] Duration notices_death_after(const Plan& plan, const PlannedService& service,
                                           std::uint64_t run);

// What the run does, how long until it says that it is ready, and what a probe answers.
[[nodiscard]] testing::ProcessScript behaviour(const Plan& plan, const PlannedService& service,
                                               std::uint64_t run, bool calm);
[[nodiscard]] testing::ProcessScript hook_behaviour(const Plan& plan, const PlannedService& service,
                                                    std::string_view hook, std::uint64_t run, bool calm);
[[nodiscard]] std::optional<Duration> says_ready_after(const Plan& plan, const PlannedService& service,
                                                       std::uint64_t run, bool calm);
// How long until it closes its ready descriptor in silence, instead of all that.
[[nodiscard]] std::optional<Duration> closes_unready_after(const Plan& plan, const PlannedService& service,
                                                           std::uint64_t run, bool calm);
// Whether its sockets can't be bound before this run.
[[nodiscard]] bool address_is_taken(const Plan& plan, const PlannedService& service, std::uint64_t run,
                                    bool calm);
[[nodiscard]] constexpr bool has_ready_fd(Readiness readiness) {
  return readiness == Readiness::fd_s6 || readiness == Readiness::fd_dinit;
}
[[nodiscard]] testing::ProbeAnswer answer(const Plan& plan, const PlannedService& service,
                                          const config::Probe& probe, Duration since_begin, bool calm);

}  // namespace belfry::simulation
