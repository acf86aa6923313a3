// The words that people bring along from compose, systemctl and docker, and what does the same here.
#pragma once

#include <span>
#include <string_view>

namespace belfry::cli {

// "status" for "ps"; "" for what nobody says elsewhere either. May be more than a command's name:
// "status --watch".
[[nodiscard]] std::string_view meant_by(std::string_view word);

// All of those words.
[[nodiscard]] std::span<const std::string_view> foreign_words();

// Why there is no such thing here, where nothing does the same: "belfry builds nothing"; empty: nothing is
// known of it.
[[nodiscard]] std::string_view why_not_here(std::string_view word);

}  // namespace belfry::cli
