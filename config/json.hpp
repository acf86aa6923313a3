// Writing JSON, as little of it as this library needs.
#pragma once

#include <string>
#include <string_view>

namespace belfry::config {

// `text` in double quotes, escaped (RFC 8259, section 7).
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace belfry::config
