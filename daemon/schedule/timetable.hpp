// A schedule of the file, made ready: its line parsed, its zone read.
#pragma once

#include <expected>
#include <string>

#include "calendar/cron.hpp"
#include "calendar/zone.hpp"
#include "config/model/schedule.hpp"

namespace belfry::daemon {

struct Timetable {
  config::Schedule spec;
  calendar::Cron cron{};  // where `spec` has one
  calendar::Zone zone = calendar::Zone::utc();

  [[nodiscard]] bool goes_by_the_day() const { return !spec.cron.empty(); }
};

// Why there is none: what was found when the file was read may have gone since.
[[nodiscard]] std::expected<Timetable, std::string> timetable_of(const config::Schedule& spec);

// "every 10m", "0 3 * * * (Europe/Zurich)"
[[nodiscard]] std::string text_of(const config::Schedule& spec);

}  // namespace belfry::daemon
