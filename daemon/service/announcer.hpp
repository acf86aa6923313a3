// Who tells other hosts what is ready here, as far as a service has to know: it must be taken back before the
// service is asked to stop, so that nobody is sent to what is going.
#pragma once

#include <memory>

#include "channels/bell.hpp"
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
  // How long those who have read it before are given to notice.
  [[nodiscard]] virtual Duration notice() const = 0;

 protected:
  ~Announcer() = default;
};

}  // namespace belfry::daemon
