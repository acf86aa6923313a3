// What HTTP counts, and what it asks for when somebody scrapes. Knows no HTTP beyond the number of a status.
#pragma once

#include <string>

#include "daemon/metrics/family.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon {

// DaemonMetrics, or what a test puts in its place.
class HttpMetrics {
 public:
  virtual ~HttpMetrics() = default;
  // Appends the exposition, which is complete.
  virtual void write(std::string& out, Exposition exposition) = 0;

  virtual void request_answered(int status) = 0;
  virtual void command_ended(ServiceCommand command, CommandOutcome outcome) = 0;
  virtual void connection_accepted() = 0;
  virtual void connection_closed() = 0;
  virtual void connection_refused() = 0;
  virtual void connection_shed() = 0;
  virtual void stream_dropped() = 0;
};

}  // namespace belfry::daemon
