// Compressing an answer (RFC 9110, 8.4).
#pragma once

#include "channels/context.hpp"
#include "channels/task.hpp"
#include "daemon/http/wire/message.hpp"

namespace belfry::daemon::http {

// With its body in gzip, which another thread has made of it. As it was where the context is cancelled, or
// there is no memory.
Task<Response> in_gzip(Context& ctx, Response response);

}  // namespace belfry::daemon::http
