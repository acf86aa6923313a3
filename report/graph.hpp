// Who waits for whom, as a picture: what starts first on the left.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "report/run.hpp"

namespace belfry::report {

// What a state means for the colours of the page: "good", "bad", "open", "off".
[[nodiscard]] std::string_view kind_of(std::string_view state);

inline constexpr std::size_t most_drawn_services = 400, most_drawn_edges = 2000;

// An SVG for the page, whose style and links it uses; of more than can be looked at nothing, and the page
// says so.
[[nodiscard]] std::string draw_graph(const Run& run);

}  // namespace belfry::report
