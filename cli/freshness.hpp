// Whether a stack runs what its files say by now.
#pragma once

#include <string>

#include "client/json.hpp"

namespace belfry::cli {

// "shop.yaml has changed since belfry read it"; empty: it has not, as far as can be seen. Looks at the files.
[[nodiscard]] std::string stale_files(const client::StackStatus& status);

// The same with what to do, on a line.
[[nodiscard]] std::string stale_hint(const client::StackStatus& status);

}  // namespace belfry::cli
