// From a request to its answer: checks who asks for what and how, then hands over to the room that knows.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "channels/context.hpp"
#include "channels/task.hpp"
#include "daemon/http/api/router.hpp"
#include "daemon/http/wire/message.hpp"
#include "daemon/http/wire/metrics_source.hpp"
#include "daemon/http/wire/wall_clock.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon::http {

// Who sent a request.
struct Caller {
  Access access = Access::health_only;
  bool over_tcp = true;  // its Host header is looked at
};

// GET /v1/wait, understood: every service with the condition that is waited for.
struct WaitFor {
  struct One {
    std::size_t service = 0;
    Level level;
  };
  std::vector<One> services;
  std::optional<Duration> timeout;
  bool in_public = true;  // the answer shows no more than PublicView does
};

// POST /v1/services/{name}/{command}, understood.
struct RunCommand {
  std::size_t service = 0;
  ServiceCommand command = ServiceCommand::start;
  bool only = false;           // ?only=1: leave the dependents alone
  bool in_background = false;  // ?wait=0: answer 202 at once
};

using Answer = std::variant<Response, WaitFor, RunCommand>;

// Owner: the Server. Lifecycle: as long as the stack that it shows. Cancellation: what waits has a Context.
class Api {
 public:
  Api(StackView& stack, MetricsSource& metrics, WallClock clock = WallClock())
      : stack_(stack), metrics_(metrics), clock_(clock) {}

  // The answer, or what has to be waited for first. Never waits itself.
  [[nodiscard]] Answer answer(const Request& request, Caller caller, const HttpStats& stats);

  // Waits until every level holds, one of them never will (424), the time is over (504) or the daemon goes
  // (503).
  Task<Response> perform(Context& ctx, WaitFor wait);
  // Runs the command to its end.
  Task<Response> perform(Context& ctx, RunCommand run);

 private:
  [[nodiscard]] Answer dispatch(const Match& match, const Request& request, std::string_view query,
                                const HttpStats& stats, Caller caller);
  [[nodiscard]] Answer understand_wait(std::string_view query) const;
  [[nodiscard]] Answer understand_command(const Match& match, std::string_view query) const;

  StackView& stack_;
  MetricsSource& metrics_;
  WallClock clock_;
};

}  // namespace belfry::daemon::http
