#include "daemon/state/service_state.hpp"

#include <array>

namespace belfry::daemon {

namespace {

// A cell is a state, `same` (legal, changes nothing) or `none` (cannot happen).
enum Cell : std::uint8_t { inac, wait, star, redy, unre, stop, back, comp, fail, blok, same, none };

using Row = std::array<Cell, state_count>;

struct LabelledRow {
  Event event;
  Row to;
};

// Read a row as: this event, in the state of the column, leads to …
// clang-format off
constexpr std::array<LabelledRow, event_count> table = {{
  //                         inactive waiting starting ready unready stopping backoff completed failed blocked
  {Event::start_asked,     {{ wait,    same,   same,    same, same,   same,    wait,   wait,     wait,  same }}},
  {Event::stop_asked,      {{ same,    inac,   stop,    stop, stop,   same,    inac,   same,     inac,  inac }}},
  {Event::restart_asked,   {{ wait,    same,   stop,    stop, stop,   same,    wait,   wait,     wait,  same }}},
  {Event::blocked,         {{ none,    blok,   none,    none, none,   none,    none,   none,     none,  same }}},
  {Event::healed,          {{ none,    same,   none,    none, none,   none,    none,   none,     none,  wait }}},
  {Event::edges_hold,      {{ none,    star,   none,    none, none,   none,    none,   none,     none,  none }}},
  {Event::edge_timed_out,  {{ none,    fail,   none,    none, none,   none,    none,   none,     none,  none }}},
  {Event::start_refused,   {{ none,    fail,   fail,    none, none,   none,    none,   none,     none,  none }}},
  {Event::start_failed,    {{ none,    none,   stop,    none, none,   none,    none,   none,     none,  none }}},
  {Event::became_ready,    {{ none,    none,   redy,    same, redy,   none,    none,   none,     none,  none }}},
  {Event::became_unready,  {{ none,    none,   none,    unre, same,   none,    none,   none,     none,  none }}},
  {Event::start_timed_out, {{ none,    none,   stop,    none, none,   none,    none,   none,     none,  none }}},
  {Event::live_failed,     {{ none,    none,   stop,    stop, stop,   none,    none,   none,     none,  none }}},
  {Event::exited,          {{ none,    none,   stop,    stop, stop,   same,    none,   none,     none,  none }}},
  {Event::gone_rest,       {{ none,    none,   none,    none, none,   inac,    none,   none,     none,  none }}},
  {Event::gone_again,      {{ none,    none,   none,    none, none,   wait,    none,   none,     none,  none }}},
  {Event::gone_retry,      {{ none,    none,   none,    none, none,   back,    none,   none,     none,  none }}},
  {Event::gone_failed,     {{ none,    none,   none,    none, none,   fail,    none,   none,     none,  none }}},
  {Event::gone_completed,  {{ none,    none,   none,    none, none,   comp,    none,   none,     none,  none }}},
  {Event::unkillable,      {{ none,    none,   none,    none, none,   fail,    none,   none,     none,  none }}},
  {Event::delay_over,      {{ none,    none,   none,    none, none,   none,    wait,   none,     none,  none }}},
}};
// clang-format on

// The labels are for the reader; this keeps them true.
constexpr bool rows_stand_in_order() {
  for (std::size_t i = 0; i < event_count; ++i) {
    if (static_cast<std::size_t>(table[i].event) != i) return false;
  }
  return true;
}
static_assert(rows_stand_in_order());

constexpr std::array<std::string_view, state_count> state_names = {
    "inactive", "waiting", "starting",  "ready",  "unready",
    "stopping", "backoff", "completed", "failed", "blocked"};

constexpr std::array<std::string_view, event_count> event_names = {
    "start_asked",    "stop_asked",    "restart_asked", "blocked",      "healed",         "edges_hold",
    "edge_timed_out", "start_refused", "start_failed",  "became_ready", "became_unready", "start_timed_out",
    "live_failed",    "exited",        "gone_rest",     "gone_again",   "gone_retry",     "gone_failed",
    "gone_completed", "unkillable",    "delay_over"};

}  // namespace

std::optional<State> next_state(State state, Event event) {
  const Cell cell = table[static_cast<std::size_t>(event)].to[static_cast<std::size_t>(state)];
  if (cell == none) return std::nullopt;
  if (cell == same) return state;
  return static_cast<State>(cell);
}

std::string_view name_of(State state) { return state_names[static_cast<std::size_t>(state)]; }
std::string_view name_of(Event event) { return event_names[static_cast<std::size_t>(event)]; }

}  // namespace belfry::daemon
