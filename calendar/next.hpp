// When a line of cron comes next in a zone. Pure: the same answer for the same arguments, whatever clock
// runs.
//
// Where clocks are set, this is what Vixie cron and cronie do:
// - A line that has its times of the day ("0 3 * * *") comes once for each of them. A time that clocks are
// set
//   forward over comes at the moment at which they are; one that they show twice comes the first time.
// - A line whose minute or hour begins with `*` comes by the time that passes: as often as clocks show one of
//   its times, twice where they are set back, not at all where they are set forward over it.
#pragma once

#include <optional>

#include "calendar/cron.hpp"
#include "calendar/zone.hpp"

namespace belfry::calendar {

// The first time after `after`; nothing: none within the ten years to come.
[[nodiscard]] std::optional<Instant> next_after(const Cron& cron, const Zone& zone, Instant after);

}  // namespace belfry::calendar
