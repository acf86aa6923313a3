// The graph of a stack as something to look at. All of them need a stack without errors.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "config/model/model.hpp"

namespace belfry::config {

// How long a service takes from its start to ready, when that is known: declared, or recorded by a run.
using ServiceTime = std::function<std::optional<Duration>(const Service&)>;

// Ranks from the services that wait for nothing upwards, each with what it waits for, and the longest
// chain: by `time` if given, else by the number of services.
[[nodiscard]] std::string graph_text(const Stack& stack, const ServiceTime& time = {});
// For Graphviz (dot -Tsvg). Dashed: not required; grey: disabled.
[[nodiscard]] std::string graph_dot(const Stack& stack);
// For Markdown pages.
[[nodiscard]] std::string graph_mermaid(const Stack& stack);
// {"name", "services": [{"name", "type", "enabled", "rank", "depends_on": [{"service", "condition", …}]}],
//  "critical_path": {"services", "seconds"}}; seconds is null without `time`.
[[nodiscard]] std::string graph_json(const Stack& stack, const ServiceTime& time = {});

}  // namespace belfry::config
