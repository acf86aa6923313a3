// The answer to whoever names a service that there is not.
#pragma once

#include <string_view>

#include "daemon/http/wire/message.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon::http {

// 404, with the name that may have been meant.
[[nodiscard]] Response no_such_service(const StackView& stack, std::string_view name);

}  // namespace belfry::daemon::http
