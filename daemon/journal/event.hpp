// One thing that has happened to a service or to the stack, as a plain value.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "channels/time/time.hpp"
#include "daemon/journal/evidence.hpp"
#include "daemon/state/service_state.hpp"

namespace belfry::daemon {

using WallMoment = std::chrono::sys_time<std::chrono::nanoseconds>;

enum class EventKind : std::uint8_t {
  state,   // a service has gone from one state to another
  bell,    // a bell has rung that is no state: `started`, or one that the service names itself
  notice,  // what an operator should read: who had to be killed, what could not be prepared
  stack,   // the stack as a whole: `begun`, `up`, `stopping`
};
inline constexpr std::size_t event_kind_count = 4;

[[nodiscard]] std::string_view name_of(EventKind kind);
// Nothing: there is no such kind.
[[nodiscard]] std::optional<EventKind> event_kind_named(std::string_view name);

// Counted from 1 in each run of belfry.
using Sequence = std::uint64_t;

// The texts of one that was read from the journal live until the next one is written.
struct JournalEvent {
  Sequence sequence = 0;
  TimePoint at{};
  WallMoment wall{};
  EventKind kind = EventKind::state;
  State from = State::inactive;   // state only
  State to = State::inactive;     // the state that it is in, whatever the kind; of the stack: of no meaning
  std::uint32_t incarnation = 0;  // the run that it is about; 0: before the first, or the stack
  std::string_view service{};     // empty: the stack
  std::string_view subject{};     // bell: its name; stack: what happened
  std::string_view cause{};       // why, with the whole chain; of a notice: its text; empty: by itself
  Evidence evidence{};
};

}  // namespace belfry::daemon
