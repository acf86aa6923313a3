// An explanation for a person: the first line names the culprit, then come the chain, what is known, the last
// lines, what comes next and what would help.
#pragma once

#include <string>

#include "daemon/why/explanation.hpp"

namespace belfry::daemon {

// Lines, each with its end. What services have said is made visible.
[[nodiscard]] std::string text_of(const Explanation& explanation);
// The same without the first line.
[[nodiscard]] std::string details_of(const Explanation& explanation);

// In one line, what stands in the chain below the one that is asked about: "db does not start: …; …"; empty:
// it waits for nobody.
[[nodiscard]] std::string causes_below(const Explanation& explanation);

}  // namespace belfry::daemon
