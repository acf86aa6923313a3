// The help texts: each fits a screen of 24 lines and 80 columns and ends with examples.
#pragma once

#include <string_view>

namespace belfry::cli {

// "" is the help of belfry itself. Empty for a command that does not exist.
[[nodiscard]] std::string_view help_text(std::string_view command);

}  // namespace belfry::cli
