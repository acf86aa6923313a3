#include "daemon/http/api/api.hpp"

#include <cstdio>
#include <utility>

#include "daemon/http/api/access.hpp"
#include "daemon/http/api/health.hpp"
#include "daemon/http/api/openapi.hpp"
#include "daemon/http/api/page.hpp"
#include "daemon/http/api/public_view.hpp"
#include "daemon/http/api/services.hpp"
#include "daemon/http/api/why.hpp"
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

// RFC 6750 3.
Response unauthorized(std::string_view detail, std::string_view challenge) {
  Response response = problem(401, detail);
  response.challenge = challenge;
  return response;
}

Response shut_down(StackView& stack) {
  stack.request_shutdown("asked to over HTTP");
  return json(202, "{\"message\":\"shutting down\"}\n");
}

class DeferredWait final : public Deferred {
 public:
  DeferredWait(Api& api, WaitFor wait)
      : Deferred(Delay::wait, wait.services.size()), api_(api), wait_(std::move(wait)) {}
  Task<Response> perform(Context& ctx) override { return api_.perform(ctx, std::move(wait_)); }

 private:
  Api& api_;
  WaitFor wait_;
};

class DeferredCommand final : public Deferred {
 public:
  DeferredCommand(Api& api, RunCommand run) : Deferred(Delay::command), api_(api), run_(run) {}
  Task<Response> perform(Context& ctx) override { return api_.perform(ctx, run_); }
  std::optional<Response> at_once() override {
    if (!run_.in_background) return std::nullopt;
    return json(202, "{\"message\":\"accepted\"}\n");
  }

 private:
  Api& api_;
  RunCommand run_;
};

class DeferredCluster final : public Deferred {
 public:
  DeferredCluster(Api& api, ShowCluster show) : Deferred(Delay::wait, 1), api_(api), show_(show) {}
  Task<Response> perform(Context& ctx) override { return api_.perform(ctx, show_); }

 private:
  Api& api_;
  ShowCluster show_;
};

class DeferredReload final : public Deferred {
 public:
  DeferredReload(Api& api, RunReload run) : Deferred(Delay::command), api_(api), run_(std::move(run)) {}
  Task<Response> perform(Context& ctx) override { return api_.perform(ctx, std::move(run_)); }
  std::optional<Response> at_once() override {
    if (!run_.in_background) return std::nullopt;
    return json(202, "{\"message\":\"accepted\"}\n");
  }

 private:
  Api& api_;
  RunReload run_;
};

}  // namespace

Answer Api::answer(const Request& request, const Caller& caller) {
  Understood understood = understand(request, caller);
  if (auto* wait = std::get_if<WaitFor>(&understood))
    return std::make_unique<DeferredWait>(*this, std::move(*wait));
  if (const auto* run = std::get_if<RunCommand>(&understood))
    return std::make_unique<DeferredCommand>(*this, *run);
  if (const auto* show = std::get_if<ShowCluster>(&understood))
    return std::make_unique<DeferredCluster>(*this, *show);
  if (auto* run = std::get_if<RunReload>(&understood))
    return std::make_unique<DeferredReload>(*this, std::move(*run));
  if (auto* follow = std::get_if<FollowEvents>(&understood))
    return follow_events(journal_, std::move(*follow));
  if (auto* follow = std::get_if<FollowLogs>(&understood)) return follow_logs(logs_, std::move(*follow));
  if (std::holds_alternative<Metrics>(understood)) return scrape_.answer(request);
  return std::get<Response>(std::move(understood));
}

bool Api::is_light(const Request& request) const {
  const std::string_view target = request.target;
  const auto begins = [target](std::string_view with) { return target.starts_with(with); };
  return !target.contains('?') && (begins("/livez") || begins("/readyz") || begins("/startupz"));
}

void Api::print_broken(const Error& error) {
  std::fprintf(stderr, "belfry: internal error: %s\n", error.text().c_str());
}

void Api::happened(ConnectionEvent event) {
  switch (event) {
    case ConnectionEvent::accepted: return metrics_.connection_accepted();
    case ConnectionEvent::closed: return metrics_.connection_closed();
    case ConnectionEvent::refused: return metrics_.connection_refused();
    case ConnectionEvent::shed: return metrics_.connection_shed();
    case ConnectionEvent::dropped: return metrics_.stream_dropped();
  }
}

Understood Api::understand(const Request& request, const Caller& caller) {
  const auto target = split_target(request.target);
  if (!target) return problem(400, "cannot read the request target " + request.target);
  const bool over_tcp = caller.peer.kind != system::Peer::Kind::unix_socket;
  const Proof proof = over_tcp ? rules_.token.judge(request.authorization) : Proof::none;
  Access access = access_of(caller, rules_);
  if (over_tcp && access > Access::health_only &&
      (!names_this_host(request.host) || comes_from_elsewhere(request.origin, request.host)))
    access = Access::health_only;
  // Who has the token is no page that a browser was lured to: whatever else he says of himself is true.
  if (proof == Proof::right) access = Access::full;

  const Match found = match(target->path);
  if (access == Access::none) return refuse_access(found.route, access, proof);
  if (found.route == Route::unknown) {
    return problem(404,
                   "cannot find " + std::string(target->path) + ": see /readyz, /metrics and /v1/services");
  }
  if (!allows(found.route, request.method)) return refuse_method(found.route, request);
  if (access < needed_access(found.route)) return refuse_access(found.route, access, proof);
  return dispatch(found, request, target->query, {.caller = caller, .access = access});
}

Understood Api::refuse_access(Route route, Access access, Proof proof) const {
  if (access == Access::none)
    return problem(403,
                   "cannot use this socket as this user: it answers to root, to belfry's own user and to the "
                   "members of the groups in control.allow");
  if (rules_.token.is_set() && proof == Proof::wrong)
    return unauthorized("cannot accept this token: it is not the one in control.token_file",
                        R"(Bearer realm="belfry", error="invalid_token")");
  if (rules_.token.is_set())
    return unauthorized("cannot do this here without a token (Authorization: Bearer …)",
                        R"(Bearer realm="belfry")");
  if (needed_access(route) == Access::full) {
    return problem(403,
                   "cannot take commands here: send them to the control socket (belfry status, stop, "
                   "restart…), or set control.token_file");
  }
  return problem(
      403, "cannot show this here: other hosts, and names other than localhost, get health and metrics only");
}

bool Api::Asker::sees_everything() const {
  return access == Access::full || caller.peer.kind == system::Peer::Kind::unix_socket;
}

// Who has asked for what changes something is said, before it is done.
Understood Api::audited(Understood understood, const Match& match, const Asker& asker) const {
  if (!on_command) return understood;
  const bool accepted =
      !std::holds_alternative<Response>(understood) || std::get<Response>(understood).status < 400;
  if (!accepted) return understood;
  const std::string what = match.route == Route::shutdown
                               ? std::string("shutdown")
                               : std::string(name_of(match.command)) + " of " + match.service;
  on_command(what + " asked for by " + who_is(asker.caller));
  return understood;
}

Understood Api::dispatch(const Match& match, const Request& request, std::string_view query,
                         const Asker& asker) {
  PublicView in_public(stack_);
  const StackView& shown = asker.sees_everything() ? stack_ : static_cast<const StackView&>(in_public);
  switch (match.route) {
    case Route::livez:
    case Route::readyz:
    case Route::readyz_service:
    case Route::startupz:
    case Route::healthz: return health(match, request, query, shown);
    case Route::metrics: return Metrics();
    case Route::services: return list_services(shown, clock_, asker.access == Access::full);
    case Route::service: return show_service(shown, match.service, clock_);
    case Route::wait: {
      Understood understood = understand_wait(query);
      if (auto* wait = std::get_if<WaitFor>(&understood)) wait->in_public = !asker.sees_everything();
      return understood;
    }
    case Route::events: {
      auto understood = understand_events(request, query, stack_, journal_, !asker.sees_everything());
      if (auto* follow = std::get_if<FollowEvents>(&understood)) return std::move(*follow);
      return std::get<Response>(std::move(understood));
    }
    case Route::timeline: return show_timeline(shown, clock_);
    case Route::cluster: return understand_cluster(request, query, asker);
    case Route::logs:
    case Route::service_logs: {
      const LogWorld world{.stack = stack_, .book = logs_, .run = journal_.run(), .now = clock_.now()};
      auto understood = understand_logs(request, match.service, query, world);
      if (auto* follow = std::get_if<FollowLogs>(&understood)) return std::move(*follow);
      return std::get<Response>(std::move(understood));
    }
    case Route::why:
    case Route::why_service: return show_why(shown, match.service, request, query);
    case Route::page: return show_page(request);
    case Route::openapi: return json(200, std::string(openapi_text));
    case Route::command: return audited(understand_command(match, query), match, asker);
    case Route::reload: return understand_reload(query, asker);  // it is said when it touches something
    case Route::shutdown: return audited(shut_down(stack_), match, asker);
    case Route::unknown: break;
  }
  return problem(404, "cannot find " + request.target);
}

}  // namespace belfry::daemon::http
