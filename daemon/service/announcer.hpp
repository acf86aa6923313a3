// Who tells other hosts what is ready here, as far as a service has to know: it must be taken back before the
// service is asked to stop, so that nobody is sent to what is going.
#pragma once

#include <memory>
#include <vector>

#include "channels/bell.hpp"
#include "channels/context.hpp"
#include "channels/task.hpp"
#include "channels/time/time.hpp"

namespace belfry::daemon {

class Service;

// Owner: the daemon. Lifecycle: outlives every service.
class Announcer {
 public:
  // Rings when nobody can read any more that it is ready here; or ends, when that cannot be had in time.
  virtual std::shared_ptr<Bell<>> withdraw(const Service& service) = 0;
  // Whether others may have read that it is ready.
  [[nodiscard]] virtual bool is_told_of(const Service& service) const = 0;
  // Before these go down by somebody's wish: returns when the other hosts can do without them here, as each
  // `update.max_unavailable` says. From then on it is counted that they may be missing, until they are ready
  // again. The error: the cause of `ctx`, or that the stack goes down.
  virtual Task<Result<void>> reserve(Context& ctx, std::vector<const Service*> going) = 0;
  // How long those who have read it before are given to notice.
  [[nodiscard]] virtual Duration notice() const = 0;

 protected:
  ~Announcer() = default;
};

}  // namespace belfry::daemon
