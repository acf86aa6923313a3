// What concerns more than one key: dependencies, conditions, profiles, ports, budgets. The machine is asked
// through Host (host.hpp), which somebody else implements. This room reads no file, and changes nothing of
// what was decoded but what follows from it: which services are enabled, and who
// publishes the outputs that are used.
#pragma once

#include <string>
#include <vector>

#include "config/decode/decode.hpp"
#include "config/validate/host.hpp"

namespace belfry::config {

// Enables services by profile and by name, drops optional edges to disabled ones, and reports all
// that cannot work, on this machine too where `host` is not null. Edges whose target does not exist must have
// been removed.
void validate(Decoder& decoder, StackDraft& draft, const std::vector<std::string>& profiles,
              const std::vector<std::string>& named, Host* host = nullptr);

// The rooms of `validate`, in its order.
void check_cycles(Decoder& decoder, const StackDraft& draft);
void check_conditions(Decoder& decoder, const StackDraft& draft);
void check_quorums(Decoder& decoder, const StackDraft& draft);
void check_probes(Decoder& decoder, const StackDraft& draft);
// Also fills in who publishes what is referred to, and by which edge it is there.
void check_outputs(Decoder& decoder, StackDraft& draft);
void check_budget(Decoder& decoder, const StackDraft& draft);
void check_ports(Decoder& decoder, const StackDraft& draft);
// Services that share a log file.
void check_logs(Decoder& decoder, const StackDraft& draft);
// Warns of what cannot run on this machine; does nothing where `host` is null.
void check_host(Decoder& decoder, const StackDraft& draft, Host* host);
void check_confinement(Decoder& decoder, const StackDraft& draft);
// Warns of what belfry may not do on this machine; does nothing where `host` is null.
void check_rights(Decoder& decoder, const StackDraft& draft, Host* host);
void check_main(Decoder& decoder, const StackDraft& draft);
void check_schedules(Decoder& decoder, const StackDraft& draft);

// Where the edge's own key, or its name in the list, was written.
[[nodiscard]] Span edge_span(const Dependency& edge);
// Where the `log` of the service of this index was written.
[[nodiscard]] Span log_span(const StackDraft& draft, std::size_t service);
// The node of the condition of an edge, if one was written.
[[nodiscard]] const Node* condition_node(const Origin& origin, const Dependency& edge);

}  // namespace belfry::config
