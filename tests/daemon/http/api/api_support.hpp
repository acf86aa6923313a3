// Asking the Api without a server.
#pragma once

#include <string>
#include <variant>

#include "channels/handshake.hpp"
#include "channels/loop.hpp"
#include "daemon/http/api/api.hpp"
#include "tests/support/fake_stack.hpp"

namespace belfry::daemon::http {

inline WallTime fixed_wall_time() {
  return WallTime(std::chrono::seconds(1'795'207'408));
}  // 2026-11-20T20:43:28Z

inline Request get(std::string target, std::string accept = {}) {
  Request request;
  request.method = Method::get;
  request.method_name = "GET";
  request.target = std::move(target);
  request.accept = std::move(accept);
  request.host = "localhost";
  request.has_host = true;
  return request;
}

inline Request post(std::string target) {
  Request request = get(std::move(target));
  request.method = Method::post;
  request.method_name = "POST";
  return request;
}

struct ApiWorld {
  ManualClock clock;
  Loop loop{clock};
  FakeStack stack{loop};
  FakeMetrics metrics;
  Journal journal{loop, Journal::usual_capacity, &fixed_wall_time};
  LogBook logs{loop, {"db", "api"}};
  Api api{stack, metrics, journal, logs, WallClock(&fixed_wall_time)};

  static Caller caller(Access access, bool over_tcp) {
    using Kind = system::Peer::Kind;
    system::Peer peer;
    peer.kind = over_tcp ? Kind::loopback : Kind::unix_socket;
    peer.trusted_user = !over_tcp;
    if (over_tcp) peer.address = "127.0.0.1";
    return {access, peer};
  }
  Understood answer(const Request& request, Access access = Access::full, bool over_tcp = false) {
    return api.understand(request, caller(access, over_tcp));
  }
  // For what needs no waiting.
  Response ask(const Request& request, Access access = Access::full, bool over_tcp = false) {
    Understood answered = answer(request, access, over_tcp);
    if (auto* response = std::get_if<Response>(&answered)) return std::move(*response);
    if (std::holds_alternative<Metrics>(answered)) {
      Answer scraped = api.answer(request, caller(access, over_tcp));
      if (auto* response = std::get_if<Response>(&scraped)) return std::move(*response);
    }
    return text(599, "it has to be waited for");
  }
};

}  // namespace belfry::daemon::http
