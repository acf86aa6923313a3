// `outputs: {file: …}`: what a service has written down for others.
#pragma once

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "daemon/resources/launch_setup.hpp"
#include "daemon/service/outputs.hpp"

namespace belfry::daemon {

inline constexpr std::size_t largest_outputs_file = 65536;

// `text` in the syntax of env files, in which a `$` is a character like others and each variable has a value.
// The error names the line, and shows nothing of it: it may be a secret.
[[nodiscard]] Result<OutputList> parse_outputs(std::string_view text);

// Reads it as it is now: a small file on this host, whose owner must be the service's user.
[[nodiscard]] Result<OutputList> read_outputs_file(const config::Service& spec, const LaunchSetup& setup);

}  // namespace belfry::daemon
