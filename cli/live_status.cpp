#include "cli/live_status.hpp"

#include <algorithm>
#include <cstdio>

#include "text/escape.hpp"

namespace belfry::cli {
namespace {

using client::ServiceStatus;
using client::StackStatus;
using std::chrono::nanoseconds;

bool is_on_its_way(const ServiceStatus& service) {
  constexpr std::string_view states[] = {"waiting", "starting", "stopping", "backoff", "unready"};
  return std::ranges::find(states, service.state) != std::end(states);
}

std::string seconds_text(Duration time) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1fs", std::max(0.0, std::chrono::duration<double>(time).count()));
  return buffer;
}

std::string why_of(const ServiceStatus& service) {
  if (service.state == "waiting" && !service.waiting_for.empty()) {
    std::string line;
    for (const std::string& one : service.waiting_for) (line += line.empty() ? "waits for " : ", ") += one;
    return line;
  }
  return service.ready || service.last_error.empty() ? service.status_text : service.last_error;
}

text::LiveRow row_of(const ServiceStatus& service, std::int64_t now_ns) {
  text::LiveRow row{.name = text::visible(service.name),
                    .state = text::visible(service.state),
                    .time = {},
                    .why = text::visible(why_of(service))};
  if (is_on_its_way(service))
    row.time = seconds_text(nanoseconds(now_ns - service.since_ns));
  else if (service.ready && service.time_to_ready_ns)
    row.time = seconds_text(nanoseconds(*service.time_to_ready_ns));
  return row;
}

std::string title_of(const StackStatus& status) {
  const auto is_wanted = [](const ServiceStatus& service) { return service.wanted; };
  const auto wanted = std::ranges::count_if(status.services, is_wanted);
  const auto ready = std::ranges::count_if(
      status.services, [&](const ServiceStatus& service) { return service.wanted && service.ready; });
  std::string title = text::visible(status.stack) + ": ";
  if (status.shutting_down) return title + "stopping";
  return title + std::to_string(ready) + " of " + std::to_string(wanted) + " ready";
}

}  // namespace

std::vector<std::string> live_status(const StackStatus& status, Duration later, const text::Screen& screen) {
  std::vector<std::string_view> states;
  states.reserve(status.services.size());
  for (const ServiceStatus& service : status.services) states.push_back(service.state);
  const std::vector<std::size_t> shown = text::worth_seeing(states, text::room_for_rows(screen));
  std::vector<text::LiveRow> rows;
  rows.reserve(shown.size());
  for (const std::size_t index : shown)
    rows.push_back(row_of(status.services[index], status.now_ns + later.count()));
  return text::live_lines(title_of(status), rows, text::left_out_text(states, shown), screen);
}

bool is_moving(const StackStatus& status) { return std::ranges::any_of(status.services, is_on_its_way); }

}  // namespace belfry::cli
