// A service in words, for status, `why` and whoever waits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/service/service.hpp"

namespace belfry::daemon {

// "db ready": the edges that keep it waiting.
[[nodiscard]] std::vector<std::string> waiting_for(const Service& service);
// Their services; of none that waits for a slot.
[[nodiscard]] std::vector<std::string_view> waiting_for_services(const Service& service);
// The whole cause chain of what is wrong now; empty: nothing is.
[[nodiscard]] std::string last_error(const Service& service);
// "api (starting 33 s): nobody listens on port 8080", "db to stop (12 s): 4711 postgres; killed in 8 s".
[[nodiscard]] std::string wait_text(const Service& service);
// Of the first probe of `ready`; empty: it has none.
[[nodiscard]] std::string_view readiness_kind(const Service& service);
// How each probe of `ready` comes to know: "notify", "port 80: kernel event (seccomp)".
[[nodiscard]] std::string readiness_method(const Service& service);

}  // namespace belfry::daemon
