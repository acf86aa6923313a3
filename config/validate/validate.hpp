// What concerns more than one key: dependencies, conditions, profiles, ports, budgets.
#pragma once

#include <string>
#include <vector>

#include "config/decode/decode.hpp"
#include "config/validate/host.hpp"

namespace belfry::config {

// Enables services by profile and by name, drops optional edges to disabled ones, and reports all
// that cannot work, on this machine too where `host` is not null. Edges whose target does not exist must have
// been removed.
void validate(Decoder& decoder, StackDraft& draft, std::vector<std::string> const& profiles,
              std::vector<std::string> const& named, Host* host = nullptr);

// The rooms of `validate`, in its order.
void check_cycles(Decoder& decoder, StackDraft const& draft);
void check_conditions(Decoder& decoder, StackDraft const& draft);
void check_quorums(Decoder& decoder, StackDraft const& draft);
void check_probes(Decoder& decoder, StackDraft const& draft);
void check_budget(Decoder& decoder, StackDraft const& draft);
void check_ports(Decoder& decoder, StackDraft const& draft);
// Warns of what cannot run on this machine; asks nobody where `host` is null.
void check_host(Decoder& decoder, StackDraft const& draft, Host* host);
void check_main(Decoder& decoder, StackDraft const& draft);

// Where the edge's own key, or its name in the list, was written.
[[nodiscard]] Span edge_span(Dependency const& edge);
// The node of the condition of an edge, if one was written.
[[nodiscard]] Node const* condition_node(Origin const& origin, Dependency const& edge);

}  // namespace belfry::config
