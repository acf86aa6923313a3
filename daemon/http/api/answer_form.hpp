// Whether an answer is for people or for programs.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/http/wire/message.hpp"

namespace belfry::daemon::http {

// `?format=` comes before Accept. Nothing: it is neither text nor json.
[[nodiscard]] std::optional<bool> wants_text(const Request& request, std::string_view query);

}  // namespace belfry::daemon::http
