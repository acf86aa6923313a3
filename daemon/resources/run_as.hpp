// As whom a service runs: what its file says, in words, and whether belfry may do it.
#pragma once

#include <sys/types.h>

#include <string>

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "system/identity.hpp"

namespace belfry::daemon {

// "nobody:daemon", "nobody:", ":daemon+audio"; ":" for belfry's own.
[[nodiscard]] std::string identity_key(const config::Service& spec);
// The same for people: "nobody:daemon", "nobody", "group daemon".
[[nodiscard]] std::string words_for_identity(const config::Service& spec);

// Found before the start, and final (kind `failed`): belfry does not get more rights by trying again. The
// error names the capabilities that are missing to run the service so, to end it, and to give it a notify
// socket if it needs one.
[[nodiscard]] Result<void> check_rights(const config::Service& spec, const system::Identity& identity);

// The same of its `capabilities`.
[[nodiscard]] Result<void> check_capabilities(const config::Service& spec);

}  // namespace belfry::daemon
