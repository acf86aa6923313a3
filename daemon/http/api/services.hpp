// /v1/services: the state of every service as JSON.
#pragma once

#include <string>
#include <string_view>

#include "daemon/http/wire/message.hpp"
#include "daemon/http/wire/wall_clock.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon::http {

class JsonWriter;

// GET /v1/services; `may_command`: whether commands of who asks would be taken.
[[nodiscard]] Response list_services(const StackView& stack, WallClock& clock, bool may_command);
// GET /v1/services/{name}; 404 when there is none.
[[nodiscard]] Response show_service(const StackView& stack, std::string_view name, WallClock& clock);

// One service as an object; also what /v1/wait answers with.
void write_service(JsonWriter& json, const ServiceView& service, TimePoint now, WallClock& clock);

}  // namespace belfry::daemon::http
