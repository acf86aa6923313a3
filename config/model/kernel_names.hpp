// Names that the kernel knows by number: signals, process limits and capabilities.
#pragma once

#include <optional>
#include <span>
#include <string>
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

// The number of a capability by its name in capabilities(7), with or without `CAP_`, in any case.
[[nodiscard]] std::optional<int> capability_number(std::string_view name);
// `CAP_NET_RAW` for 13; "capability 63" for a number without a name.
[[nodiscard]] std::string capability_name(int number);
// Without `CAP_`.
[[nodiscard]] std::span<const std::string_view> capability_names();

}  // namespace belfry::config
