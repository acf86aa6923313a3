// Fields of an HTTP request, as a file writes them under `headers`.
#pragma once

#include <expected>
#include <string_view>

#include "config/model/duration.hpp"

namespace belfry::config {

// Nothing if a request may have such a field: the name a token, no control character in the value (RFC 9110,
// 5.1 and 5.5). A line break would be read as the end of the field, and what follows as fields or as a
// request of its own. The message does not quote the value, which may be a secret.
[[nodiscard]] std::expected<void, Malformed> check_http_field(std::string_view name, std::string_view value);

// Names of fields, and the words that steer a connection, mean the same in upper and lower case (RFC
// 9110, 5.1, 7.6.1).
[[nodiscard]] bool is_same_http_word(std::string_view a, std::string_view b);

}  // namespace belfry::config
