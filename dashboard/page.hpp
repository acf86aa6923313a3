// The dashboard: one page of HTML, built from src/ by `dashboard/build` and kept in dist/, so that building
// belfry needs no Node.
#pragma once

#include <string_view>

namespace belfry::dashboard {

// As it is sent: in gzip (RFC 1952).
extern const std::string_view packed_page;

// Its Content-Security-Policy: lets in its one script and its one style by their digests, lets it ask its own
// server, and nothing else.
extern const std::string_view page_policy;

}  // namespace belfry::dashboard
