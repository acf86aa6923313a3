#include "daemon/http/api/api.hpp"

#include <utility>

#include "daemon/http/api/access.hpp"
#include "daemon/http/api/health.hpp"
#include "daemon/http/api/public_view.hpp"
#include "daemon/http/api/services.hpp"
#include "daemon/http/wire/request_target.hpp"

namespace belfry::daemon::http {
namespace {

Response refuse_method(Route route, const Request& request) {
  const std::string_view allowed = allowed_methods(route);
  Response response = problem(405, "cannot " + request.method_name + " " + request.target +
                                       ": it answers to " + std::string(allowed));
  response.allow = allowed;
  return response;
}

Response refuse_access(Route route, Access access) {
  if (access == Access::none) {
    return problem(403, "cannot use this socket as this user: it answers to root and to belfry's own user");
  }
  if (needed_access(route) == Access::full) {
    return problem(
        403, "cannot take commands here: send them to the control socket (belfry status, stop, restart…)");
  }
  return problem(
      403, "cannot show this here: other hosts, and names other than localhost, get health and metrics only");
}

Response scrape(MetricsSource& metrics, const HttpStats& stats) {
  Response response;
  response.content_type = prometheus_text;
  metrics.write(response.body, stats);
  return response;
}

Response shut_down(StackView& stack) {
  stack.request_shutdown("asked to over HTTP");
  return json(202, "{\"message\":\"shutting down\"}\n");
}

}  // namespace

Answer Api::answer(const Request& request, Caller caller, const HttpStats& stats) {
  const auto target = split_target(request.target);
  if (!target) return problem(400, "cannot read the request target " + request.target);
  Access access = caller.access;
  if (caller.over_tcp && access > Access::health_only && !names_this_host(request.host))
    access = Access::health_only;

  const Match found = match(target->path);
  if (access == Access::none) return refuse_access(found.route, access);
  if (found.route == Route::unknown) {
    return problem(404,
                   "cannot find " + std::string(target->path) + ": see /readyz, /metrics and /v1/services");
  }
  if (!allows(found.route, request.method)) return refuse_method(found.route, request);
  if (access < needed_access(found.route)) return refuse_access(found.route, access);
  return dispatch(found, request, target->query, stats, caller);
}

Answer Api::dispatch(const Match& match, const Request& request, std::string_view query,
                     const HttpStats& stats, Caller caller) {
  PublicView in_public(stack_);
  const StackView& shown = caller.over_tcp ? static_cast<const StackView&>(in_public) : stack_;
  switch (match.route) {
    case Route::livez:
    case Route::readyz:
    case Route::readyz_service:
    case Route::startupz:
    case Route::healthz: return health(match, request, query, shown);
    case Route::metrics: return scrape(metrics_, stats);
    case Route::services: return list_services(shown, clock_);
    case Route::service: return show_service(shown, match.service, clock_);
    case Route::wait: {
      Answer answer = understand_wait(query);
      if (auto* wait = std::get_if<WaitFor>(&answer)) wait->in_public = caller.over_tcp;
      return answer;
    }
    case Route::command: return understand_command(match, query);
    case Route::shutdown: return shut_down(stack_);
    case Route::unknown: break;
  }
  return problem(404, "cannot find " + request.target);
}

}  // namespace belfry::daemon::http
