#include "calendar/zone.hpp"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace belfry::calendar {

namespace {

absl::CivilSecond civil(LocalTime time) {
  return absl::CivilSecond(1970, 1, 1) + time.time_since_epoch().count();
}

LocalTime local_time(absl::CivilSecond time) {
  return LocalTime(std::chrono::seconds(time - absl::CivilSecond(1970, 1, 1)));
}

Instant instant(absl::Time time) { return Instant(std::chrono::seconds(absl::ToUnixSeconds(time))); }

absl::Time time_of(Instant at) { return absl::FromUnixSeconds(at.time_since_epoch().count()); }

// Where CCTZ looks for them.
std::string directory() {
  const char* const given = std::getenv("TZDIR");
  return given != nullptr && *given != '\0' ? given : "/usr/share/zoneinfo";
}

// As they are called in tzdata. A path, or a name that CCTZ gives a meaning of its own, is none.
bool is_zone_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '/' && name != "localtime" &&
         std::ranges::all_of(name, fits);
}

// The other trees are the same zones by other rules (leap seconds), or are no zones.
bool is_of_another_tree(const std::string& name) {
  return name == "posix" || name == "right" || name == "posixrules" || name == "localtime" ||
         name == "Factory";
}

}  // namespace

struct Zone::Data {
  absl::TimeZone zone;
};

Zone Zone::utc() { return Zone(std::make_shared<const Data>(Data{absl::UTCTimeZone()})); }

std::expected<Zone, std::string> Zone::named(std::string_view name) {
  if (name == "UTC") return utc();
  if (name == "local") return Zone(std::make_shared<const Data>(Data{absl::LocalTimeZone()}));
  std::error_code none;
  if (!std::filesystem::is_directory(directory(), none))
    return std::unexpected("this machine knows no zone but UTC: " + directory() +
                           " is not there (package tzdata)");
  absl::TimeZone zone;
  if (!is_zone_name(name) || !absl::LoadTimeZone(std::string(name), &zone))
    return std::unexpected("the machine's tzdata knows no zone of this name");
  return Zone(std::make_shared<const Data>(Data{zone}));
}

LocalTime Zone::local(Instant at) const { return local_time(absl::ToCivilSecond(time_of(at), data_->zone)); }

Instant Zone::first(LocalTime time) const {
  const absl::TimeZone::TimeInfo info = data_->zone.At(civil(time));
  return instant(info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre);
}

std::optional<ClockChange> Zone::next_change(Instant after) const {
  absl::TimeZone::CivilTransition change;
  if (!data_->zone.NextTransition(time_of(after), &change)) return std::nullopt;
  // The earlier of the two is shown never or twice, so it tells the moment.
  const absl::TimeZone::TimeInfo info = data_->zone.At(std::min(change.from, change.to));
  return ClockChange{.at = instant(info.trans), .from = local_time(change.from), .to = local_time(change.to)};
}

std::string Zone::text(Instant at) const {
  return absl::FormatTime("%Y-%m-%d %H:%M %z", time_of(at), data_->zone);
}

std::vector<std::string> zone_names() {
  std::vector<std::string> all;
  std::error_code error;
  const std::string root = directory();
  std::filesystem::recursive_directory_iterator found(root, error);
  for (; !error && found != std::filesystem::recursive_directory_iterator(); found.increment(error)) {
    const std::string name = found->path().lexically_relative(root).string();
    std::error_code ignored;
    const bool is_directory = found->is_directory(ignored);
    if (is_of_another_tree(name)) {
      if (is_directory) found.disable_recursion_pending();
    } else if (!is_directory && !name.contains('.')) {
      all.push_back(name);
    }
  }
  std::ranges::sort(all);
  return all;
}

}  // namespace belfry::calendar
