// GET /openapi.json: what this server answers, described (openapi.json in this folder;
// spec.openapis.org, 3.1).
#pragma once

#include <string_view>

namespace belfry::daemon::http {

// The document, as JSON.
extern const std::string_view openapi_text;

}  // namespace belfry::daemon::http
