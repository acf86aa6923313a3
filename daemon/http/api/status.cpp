#include "daemon/http/api/status.hpp"

namespace belfry::daemon::http {

int status_of(CommandOutcome outcome) {
  switch (outcome) {
    case CommandOutcome::done: return 200;
    case CommandOutcome::refused: return 409;
    case CommandOutcome::never: return 424;
    case CommandOutcome::shutting_down: return 503;
    case CommandOutcome::not_in_time: break;
  }
  return 504;
}

int status_of(Error::Kind why_not) {
  switch (why_not) {
    case Error::Kind::deadline_exceeded: return 504;
    case Error::Kind::closed:
    case Error::Kind::cancelled: return 503;
    case Error::Kind::invalid: return 400;
    default: return 424;
  }
}

}  // namespace belfry::daemon::http
