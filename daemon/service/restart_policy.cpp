#include "daemon/service/restart_policy.hpp"

#include <algorithm>
#include <cmath>

namespace belfry::daemon {

using config::RestartPolicy;

AfterExit after_exit(const config::Service& service, bool success, bool was_ready) {
  // A daemon that ends before it was ready has failed, whatever its exit code says: somebody may be
  // waiting for it.
  const bool good = service.type == config::ServiceType::oneshot ? success : success && was_ready;
  const RestartPolicy policy = service.main ? RestartPolicy::no : service.restart->policy;
  // A oneshot that has done its work is not done over and over, whatever the policy.
  if (good) {
    const bool again = policy == RestartPolicy::always && service.type != config::ServiceType::oneshot;
    return again ? AfterExit::again : AfterExit::completed;
  }
  return policy == RestartPolicy::no ? AfterExit::failed : AfterExit::again;
}

bool limit_reached(RestartHistory& history, const config::Restart& restart, TimePoint now) {
  if (restart.limit == 0) return false;
  auto& restarts = history.restarts;
  if (restart.limit_window.count() > 0) {
    std::erase_if(restarts, [&](TimePoint at) { return now - at > restart.limit_window; });
  }
  if (restarts.size() >= restart.limit) return true;
  restarts.push_back(now);
  return false;
}

Duration next_back_off(RestartHistory& history, const config::Restart& restart, double random) {
  const double exponent = std::min<double>(history.attempts, 64);
  const double cap = static_cast<double>(restart.max_delay.count());
  const double grown = static_cast<double>(restart.delay.count()) * std::pow(restart.factor, exponent);
  const double spread = 1.0 + restart.jitter * (2.0 * random - 1.0);
  if (history.attempts < 64) ++history.attempts;
  return saturating_scale(std::min(grown, cap), spread);
}

}  // namespace belfry::daemon
