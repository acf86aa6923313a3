#include "daemon/supervisor/stop_requests.hpp"

#include <csignal>

#include "config/model/duration.hpp"
#include "system/process.hpp"

namespace belfry::daemon {

StopRequests::Meaning StopRequests::take(const system::SignalEvent& event, TimePoint now) {
  if (event.number != SIGTERM && event.number != SIGINT && event.number != SIGQUIT) return Meaning::none;
  const std::string name = system::signal_name(event.number);
  if (event.number == SIGQUIT) {
    why_killed_ = name;
    return Meaning::kills;
  }
  if (!first_) {
    first_ = event;
    asked_at_ = now;
    return Meaning::asks;
  }
  if (is_echo(event, now)) return Meaning::echoes;
  const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(now - asked_at_);
  why_killed_ = "a second request, " + name + " " + config::to_string(after) + " after " +
                system::signal_name(first_->number);
  return Meaning::kills;
}

bool StopRequests::is_echo(const system::SignalEvent& event, TimePoint now) const {
  const bool passed_on = event.from_kernel != first_->from_kernel;
  return now - asked_at_ < echo_time && (event.number == first_->number || passed_on);
}

}  // namespace belfry::daemon
