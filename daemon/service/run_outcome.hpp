// How a run has ended, in words and as success or failure. Pure.
#pragma once

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "daemon/service/record.hpp"

namespace belfry::daemon {

// Its exit code counts as success, and nothing else made a failure of it.
[[nodiscard]] bool exit_was_success(const Run& run, const config::Service& service);
// "db exited with code 3 before it was ready (it said ERRNO=5, Input/output error)".
[[nodiscard]] Error last_exit_error(const Record& record, const config::Service& service);

}  // namespace belfry::daemon
