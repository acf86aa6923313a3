// The command that stands behind `--`, when it cannot be executed.
#pragma once

#include <string>

#include "client/failure.hpp"

namespace belfry::cli {

// What to say when execvp(3) has refused it with this errno: 127 it is not there, 126 it is, as shells do.
[[nodiscard]] client::Failure cannot_run(const std::string& program, int errnum);

}  // namespace belfry::cli
