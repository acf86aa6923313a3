// Names that the kernel knows by number: signals and process limits.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace belfry::config {

// The number of `SIGTERM`, `TERM` or `15`; SIGRTMIN+n too. Case counts as written in signal(7).
[[nodiscard]] std::optional<int> signal_number(std::string_view name);
// `SIGTERM` for 15; empty for a number without a name.
[[nodiscard]] std::string_view signal_name(int number);
[[nodiscard]] std::span<const std::string_view> signal_names();

// The number of a resource by its name in setrlimit(2), lower case without RLIMIT_: `nofile`.
[[nodiscard]] std::optional<int> limit_number(std::string_view name);
[[nodiscard]] std::span<const std::string_view> limit_names();

}  // namespace belfry::config
