// GET /: the dashboard, which asks the rest of the API for what it shows.
#pragma once

#include "daemon/http/wire/message.hpp"

namespace belfry::daemon::http {

// 406 for a client that takes no gzip: every browser does, and there is no other form of it here.
[[nodiscard]] Response show_page(const Request& request);

}  // namespace belfry::daemon::http
