// How a run has ended, in words and as success or failure. Pure.
#pragma once

#include <string>

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "daemon/service/record.hpp"
#include "daemon/service/service_resources.hpp"

namespace belfry::daemon {

// Its exit code counts as success, and nothing else made a failure of it.
[[nodiscard]] bool exit_was_success(const Run& run, const config::Service& service);
// What a signal that belfry has not sent says of the reason, and where the core is: half a sentence. Empty:
// nothing more than its name does.
[[nodiscard]] std::string signal_words(const system::ExitStatus& status, const EndFacts& facts);
// "db exited with code 3 before it was ready (it said ERRNO=5, Input/output error)".
[[nodiscard]] Error last_exit_error(const Record& record, const config::Service& service);

}  // namespace belfry::daemon
