// A run as one HTML page that needs nothing else: no network, no other file, and no script to be read.
//
// Everything in it that belfry has not said itself is hostile until it has gone through text/markup.hpp. The
// page's own policy (CSP) lets in its one script, by its digest, and inline styles, and nothing else.
#pragma once

#include <cstddef>
#include <string>

#include "report/run.hpp"

namespace belfry::report {

// How much of each there is room for, the newest first; with the pictures a page has 4 MiB at most.
inline constexpr std::size_t most_of_journal = std::size_t{1} << 20, most_of_logs = std::size_t{1} << 20,
                             most_of_whys = std::size_t{1} << 18, most_of_services = std::size_t{1} << 19;
inline constexpr std::size_t longest_line = 2000;  // of a log, in bytes

[[nodiscard]] std::string page(const Run& run);

}  // namespace belfry::report
