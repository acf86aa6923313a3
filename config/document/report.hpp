// Diagnostics for machines.
#pragma once

#include <string>
#include <string_view>

#include "config/document/diagnostic.hpp"

namespace belfry::config {

// {"diagnostics": [{"file", "range": {"start": {"line", "character"}, "end": …}, "severity", "code",
// "message", "help", "related": […]}], "errors", "warnings"}. Lines and characters count from 0 and
// characters are UTF-16 units, as in the Language Server Protocol; severity 1 is error, 2 warning, 3 a
// remark (information).
[[nodiscard]] std::string diagnostics_json(const Diagnostics& diagnostics);

// SARIF 2.1.0, which CI services show beside the change; lines and columns count from 1.
[[nodiscard]] std::string diagnostics_sarif(const Diagnostics& diagnostics, std::string_view version);

}  // namespace belfry::config
