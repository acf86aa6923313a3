#include "daemon/http/api/router.hpp"

#include <optional>
#include <utility>

#include "daemon/http/wire/request_target.hpp"

namespace belfry::daemon::http {
namespace {

struct FixedPath {
  std::string_view path;
  Route route;
};
constexpr FixedPath fixed_paths[] = {
    {"/livez", Route::livez},          {"/readyz", Route::readyz},        {"/startupz", Route::startupz},
    {"/healthz", Route::healthz},      {"/metrics", Route::metrics},      {"/v1/services", Route::services},
    {"/v1/wait", Route::wait},         {"/v1/shutdown", Route::shutdown}, {"/v1/events", Route::events},
    {"/v1/logs", Route::logs},         {"/v1/timeline", Route::timeline}, {"/v1/why", Route::why},
    {"/openapi.json", Route::openapi}, {"/v1/cluster", Route::cluster},   {"/", Route::page},
    {"/v1/reload", Route::reload},
};

constexpr ServiceCommand commands[] = {ServiceCommand::start, ServiceCommand::stop, ServiceCommand::restart,
                                       ServiceCommand::kill, ServiceCommand::reload};

std::optional<ServiceCommand> command_named(std::string_view name) {
  for (const ServiceCommand command : commands) {
    if (name_of(command) == name) return command;
  }
  return std::nullopt;
}

Match service_match(Route route, std::string_view segment) {
  Match found;
  auto name = percent_decode(segment);
  if (!name || name->empty()) return found;
  found.route = route;
  found.service = std::move(*name);
  return found;
}

// What follows "/v1/services/".
Match match_below_services(std::string_view rest) {
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return service_match(Route::service, rest);
  if (rest.substr(slash + 1) == "logs") return service_match(Route::service_logs, rest.substr(0, slash));
  const auto command = command_named(rest.substr(slash + 1));
  if (!command) return {};
  Match found = service_match(Route::command, rest.substr(0, slash));
  found.command = *command;
  return found;
}

}  // namespace

std::vector<std::string> path_templates() {
  std::vector<std::string> all;
  for (const FixedPath& fixed : fixed_paths) all.emplace_back(fixed.path);
  all.emplace_back("/readyz/{name}");
  all.emplace_back("/v1/services/{name}");
  all.emplace_back("/v1/services/{name}/logs");
  all.emplace_back("/v1/why/{name}");
  for (const ServiceCommand command : commands)
    all.push_back("/v1/services/{name}/" + std::string(name_of(command)));
  return all;
}

Match match(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (const auto& fixed : fixed_paths) {
    if (fixed.path == path) return {fixed.route, {}, ServiceCommand::start};
  }
  constexpr std::string_view readyz = "/readyz/", services = "/v1/services/", why = "/v1/why/";
  if (path.starts_with(services)) return match_below_services(path.substr(services.size()));
  if (path.starts_with(readyz) && path.find('/', readyz.size()) == std::string_view::npos) {
    return service_match(Route::readyz_service, path.substr(readyz.size()));
  }
  if (path.starts_with(why) && path.find('/', why.size()) == std::string_view::npos)
    return service_match(Route::why_service, path.substr(why.size()));
  return {};
}

Access needed_access(Route route) {
  switch (route) {
    case Route::livez:
    case Route::readyz:
    case Route::readyz_service:
    case Route::startupz:
    case Route::healthz:
    case Route::metrics: return Access::health_only;
    case Route::command:
    case Route::shutdown:
    case Route::reload: return Access::full;
    case Route::services:
    case Route::service:
    case Route::wait:
    case Route::events:
    case Route::timeline:
    case Route::cluster:
    case Route::logs:
    case Route::service_logs:
    case Route::why:
    case Route::why_service:
    case Route::openapi:
    case Route::page:
    case Route::unknown: break;
  }
  return Access::read_only;
}

bool allows(Route route, Method method) {
  if (needed_access(route) == Access::full) return method == Method::post;
  return method == Method::get || method == Method::head;
}

std::string_view allowed_methods(Route route) {
  return needed_access(route) == Access::full ? "POST" : "GET, HEAD";
}

}  // namespace belfry::daemon::http
