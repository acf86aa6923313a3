// Which path means what, who may ask for it and with which method: one table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/http/wire/caller.hpp"
#include "daemon/http/wire/message.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon::http {

enum class Route : std::uint8_t {
  livez,
  readyz,
  readyz_service,
  startupz,
  healthz,
  metrics,  // health_only
  services,
  service,
  wait,
  events,
  timeline,
  cluster,
  logs,
  service_logs,
  why,
  why_service,
  openapi,
  page,  // read_only
  command,
  shutdown,
  reload,  // full
  unknown
};

struct Match {
  Route route = Route::unknown;
  // readyz_service, service, service_logs, why_service, command: the decoded name
  std::string service;
  ServiceCommand command = ServiceCommand::start;  // command
};

// All that is known, as OpenAPI writes them: "/readyz/{name}".
[[nodiscard]] std::vector<std::string> path_templates();

// `path` as it stands in the request target; a trailing slash means nothing.
[[nodiscard]] Match match(std::string_view path);

[[nodiscard]] bool allows(Route route, Method method);
[[nodiscard]] std::string_view allowed_methods(Route route);
[[nodiscard]] Access needed_access(Route route);

}  // namespace belfry::daemon::http
