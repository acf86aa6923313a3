// One connection, from accept to close. Includes Asio: for the server's own files only.
#pragma once

#include <cstdint>
#include <string>

#include "channels/asio.hpp"
#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/task.hpp"
#include "channels/wait_group.hpp"
#include "daemon/http/api/api.hpp"
#include "daemon/http/wire/admission.hpp"
#include "daemon/http/wire/reserve.hpp"
#include "daemon/http/wire/server.hpp"
#include "daemon/http/wire/turn_share.hpp"
#include "system/owned_fd.hpp"

namespace belfry::daemon::http {

// What all connections of a server share.
// Owner: Server::State. Lifecycle: longer than every session. Cancellation: `draining` ends idle waits,
// `sessions` ends everything.
struct Shared {
  Shared(Loop& loop_, StackView& stack, MetricsSource& metrics, ServerLimits limits_)
      : loop(loop_),
        api(stack, metrics),
        limits(limits_),
        reserve(limits.reserve),
        turn_share(limits.turn_bytes),
        sessions(loop),
        draining(sessions) {}

  // The value of the Date header; written anew once a second.
  [[nodiscard]] std::string_view date();

  Loop& loop;
  Api api;
  ServerLimits limits;
  Reserve reserve;
  TurnShare turn_share;
  HttpStats stats;
  Context sessions;
  Context draining;
  WaitGroup tasks{loop, "http tasks"};

 private:
  std::string date_;
  std::int64_t date_second_ = 0;
};

// Serves the descriptor until one side has had enough. Whoever spawns it has counted it in `admission.open`;
// it counts itself out. `shared` and `admission` outlive the task.
Task<void> serve_connection(Shared& shared, Admission& admission, OwnedFd fd, Caller caller);

}  // namespace belfry::daemon::http
