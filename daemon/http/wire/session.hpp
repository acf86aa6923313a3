// One connection, from accept to close. Includes Asio: for the server's own files only.
#pragma once

#include <memory>
#include <string>

#include "channels/asio.hpp"
#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/task.hpp"
#include "channels/wait_group.hpp"
#include "daemon/http/wire/admission.hpp"
#include "daemon/http/wire/request_handler.hpp"
#include "daemon/http/wire/server.hpp"
#include "daemon/http/wire/stream_pace.hpp"
#include "daemon/http/wire/turn_share.hpp"
#include "daemon/http/wire/wall_clock.hpp"
#include "system/descriptor_reserve.hpp"
#include "system/owned_fd.hpp"
#include "tls/server.hpp"

namespace belfry::daemon::http {

// What all connections of a server share.
// Owner: Server::State. Lifecycle: longer than every session. Cancellation: `draining` ends idle waits,
// `sessions` ends everything. Joins wait without a parent: what is joined has been told to end already, and a
// join that gave up would leave it behind.
struct Shared {
  Shared(Context& parent, RequestHandler& handler_, ServerLimits limits_)
      : loop(parent.loop()),
        handler(handler_),
        limits(limits_),
        reserve(limits.reserve),
        turn_share(limits.turn_bytes),
        stream_pace(parent.loop()),
        sessions(parent),
        draining(sessions) {}

  // The value of the Date header; written anew once a second.
  [[nodiscard]] std::string_view date();

  Loop& loop;
  RequestHandler& handler;
  ServerLimits limits;
  system::DescriptorReserve reserve;
  TurnShare turn_share;
  StreamPace stream_pace;
  Context sessions;
  Context draining;
  // Sessions read what they throw themselves. Whoever accepts does not: without him nobody comes in any more.
  WaitGroup tasks{loop, "http tasks", WaitGroup::Thrown::told_at_once};

 private:
  std::string date_;
  std::chrono::sys_seconds date_second_{};
};

// Serves the descriptor until one side has had enough. Whoever spawns it has counted it in `admission.open`;
// it counts itself out. `shared` and `admission` outlive the task.
Task<void> serve_connection(Shared& shared, Admission& admission, system::OwnedFd fd,
                            std::unique_ptr<tls::ServerSession> tls, Caller caller);

}  // namespace belfry::daemon::http
