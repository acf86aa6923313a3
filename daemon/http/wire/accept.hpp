// What a client takes, and what of it he would rather have: Accept and Accept-Encoding (RFC 9110, 12.5).
#pragma once

#include <string_view>

namespace belfry::daemon::http {

// The weight, from 0 to 1, that `header` gives to `name` ("application/openmetrics-text", "gzip"). 0: it is
// not listed, or refused. Wildcards and parameters other than `q` are not looked at.
[[nodiscard]] double quality_of(std::string_view name, std::string_view header);

}  // namespace belfry::daemon::http
