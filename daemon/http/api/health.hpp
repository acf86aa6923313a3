// The health endpoints: what load balancers, container runtimes and people with curl ask.
#pragma once

#include <string_view>

#include "daemon/http/api/router.hpp"
#include "daemon/http/wire/message.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon::http {

// Answers /livez, /readyz, /readyz/{service}, /startupz and /healthz. `query` understands `verbose` and
// `exclude=NAME` (repeatable); Accept chooses between text and health+json.
[[nodiscard]] Response health(const Match& match, const Request& request, std::string_view query,
                              const StackView& stack);

// Why a service is not ready, in half a sentence: "waiting for migrate completed", "failed: exec: No such
// file…".
[[nodiscard]] std::string reason_unready(const ServiceView& service);

}  // namespace belfry::daemon::http
