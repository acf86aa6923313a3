#include "config/model/enum_names.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace belfry::config {
namespace {

// Each list has the order of its enumeration.
constexpr std::array<std::string_view, 4> types{"daemon", "oneshot", "external", "gate"};
constexpr std::array<std::string_view, 3> losses{"ignore", "restart", "stop"};
constexpr std::array<std::string_view, 3> overlaps{"skip", "queue", "kill"};
constexpr std::array<std::string_view, 18> kinds{
    "listen", "port",  "unix", "notify",    "fd",  "tcp",  "http", "grpc", "postgres",
    "mysql",  "redis", "amqp", "memcached", "dns", "exec", "log",  "file", "cluster"};
static_assert(types.size() == static_cast<std::size_t>(ServiceType::gate) + 1);
static_assert(losses.size() == static_cast<std::size_t>(OnLoss::stop) + 1);
static_assert(overlaps.size() == static_cast<std::size_t>(Overlap::kill) + 1);
static_assert(kinds.size() == static_cast<std::size_t>(Probe::Kind::cluster) + 1);

// Our own words come first, in the order of the enumeration; then those of other tools.
constexpr std::size_t own_conditions = 4;
constexpr std::array<std::string_view, 12> spellings{"started",
                                                     "ready",
                                                     "completed",
                                                     "stopped",
                                                     "service_started",
                                                     "service_healthy",
                                                     "service_completed_successfully",
                                                     "process_started",
                                                     "process_healthy",
                                                     "process_log_ready",
                                                     "process_completed",
                                                     "process_completed_successfully"};
constexpr std::array<Condition, spellings.size()> meanings{
    Condition::started, Condition::ready, Condition::completed, Condition::stopped,
    Condition::started, Condition::ready, Condition::completed, Condition::started,
    Condition::ready,   Condition::ready, Condition::stopped,   Condition::completed};
static_assert(own_conditions == static_cast<std::size_t>(Condition::own_bell));

template <class E, std::size_t count>
std::optional<E> named(const std::array<std::string_view, count>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  return found == names.end() ? std::nullopt : std::optional(static_cast<E>(found - names.begin()));
}

}  // namespace

std::string_view name_of(ServiceType type) { return types[static_cast<std::size_t>(type)]; }

std::optional<ServiceType> service_type_named(std::string_view name) {
  return named<ServiceType>(types, name);
}

std::span<const std::string_view> service_type_names() { return types; }

std::string_view name_of(Condition condition) {
  return condition == Condition::own_bell ? std::string_view("own bell")
                                          : spellings[static_cast<std::size_t>(condition)];
}

std::optional<Condition> condition_named(std::string_view name) {
  const auto known = condition_names();
  const auto found = std::ranges::find(known, name);
  return found == known.end() ? std::nullopt
                              : std::optional(meanings[static_cast<std::size_t>(found - known.begin())]);
}

std::span<const std::string_view> condition_names() { return std::span(spellings).first(own_conditions); }

std::optional<Condition> condition_spelled(std::string_view name) {
  const auto found = std::ranges::find(spellings, name);
  return found == spellings.end()
             ? std::nullopt
             : std::optional(meanings[static_cast<std::size_t>(found - spellings.begin())]);
}

std::span<const std::string_view> condition_spellings() { return spellings; }

std::string_view name_of(OnLoss loss) { return losses[static_cast<std::size_t>(loss)]; }

std::span<const std::string_view> on_loss_names() { return losses; }

std::string_view name_of(Overlap overlap) { return overlaps[static_cast<std::size_t>(overlap)]; }

std::span<const std::string_view> overlap_names() { return overlaps; }

std::string_view name_of(Probe::Kind kind) { return kinds[static_cast<std::size_t>(kind)]; }

std::optional<Probe::Kind> probe_kind_named(std::string_view name) { return named<Probe::Kind>(kinds, name); }

std::span<const std::string_view> probe_kind_names() { return kinds; }

}  // namespace belfry::config
