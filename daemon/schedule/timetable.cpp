#include "daemon/schedule/timetable.hpp"

#include "config/model/duration.hpp"

namespace belfry::daemon {

std::expected<Timetable, std::string> timetable_of(const config::Schedule& spec) {
  Timetable made{.spec = spec};
  if (!made.goes_by_the_day()) return made;
  auto cron = calendar::parse_cron(spec.cron);
  if (!cron) return std::unexpected(cron.error().message);
  auto zone = calendar::Zone::named(spec.time_zone);
  if (!zone) return std::unexpected("there is no time zone " + spec.time_zone + ": " + zone.error());
  made.cron = *cron;
  made.zone = *std::move(zone);
  return made;
}

std::string text_of(const config::Schedule& spec) {
  std::string text = spec.cron.empty() ? "every " + config::to_string(spec.every) : spec.cron;
  if (!spec.cron.empty()) text += " (" + spec.time_zone + ")";
  if (spec.jitter > config::Duration::zero()) text += ", up to " + config::to_string(spec.jitter) + " later";
  return text;
}

}  // namespace belfry::daemon
