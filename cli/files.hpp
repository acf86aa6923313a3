// Loading the file that a command is about.
#pragma once

#include "cli/options.hpp"
#include "config/load/load.hpp"

namespace belfry::cli {

// The files of the command (options, then arguments), or the one that is found here. Failure: 66.
[[nodiscard]] Expected<std::vector<std::string>> files_of(const Invocation& asked);

// `host`, when not null, is asked whether the stack can run here.
[[nodiscard]] Expected<config::Loaded> load(const Invocation& asked, config::Host* host = nullptr);

}  // namespace belfry::cli
