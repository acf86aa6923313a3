// The manual page, made from the texts that --help shows: docs/man/belfry.1 is what this returns.
#pragma once

#include <string>

namespace belfry::cli {

[[nodiscard]] std::string manual_page();

}  // namespace belfry::cli
