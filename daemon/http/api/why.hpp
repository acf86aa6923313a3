// /v1/why: why a service is not up, or why the stack is not ready.
#pragma once

#include <string_view>

#include "daemon/http/wire/message.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon::http {

// `name` empty: of the stack. `?format=text`, or `Accept: text/plain`, asks for what a person reads. 404:
// there is no such service.
[[nodiscard]] Response show_why(const StackView& stack, std::string_view name, const Request& request,
                                std::string_view query);

}  // namespace belfry::daemon::http
