// Cycles, conditions that can never hold, and quorums that cannot be reached.
#include <algorithm>

#include "config/graph/graph.hpp"
#include "config/keys/quote.hpp"
#include "config/model/enum_names.hpp"
#include "config/validate/validate.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

std::vector<std::string_view> conditions_of(const Service& target) {
  std::vector<std::string_view> names(condition_names().begin(), condition_names().end());
  if (target.extras)
    for (const OwnBell& bell : target.extras->bells) names.push_back(bell.name);
  return names;
}

// Its own words first: who meant one of another tool wrote something longer.
std::string meant_condition(std::string_view word, const Service& target) {
  if (const auto foreign = foreign_condition_help(word); !foreign.empty()) return std::string(foreign);
  const std::vector<std::string_view> own = conditions_of(target);
  return text::nearest(word, own).empty() && !text::nearest(word, condition_spellings()).empty()
             ? text::did_you_mean(word, condition_spellings())
             : text::did_you_mean(word, own);
}

struct Reason {
  std::string message;
  std::string help;
};

// Why the condition of `edge` can never hold of a service of that type; empty if it can.
Reason impossible(const Dependency& edge, const Service& target) {
  const std::string name = quote(target.name);
  const std::string wanted = quote(name_of(edge.condition));
  switch (target.type) {
    case ServiceType::daemon:
      if (edge.condition == Condition::completed)
        return {wanted + " can never hold: " + name + " is a daemon, which is not meant to end",
                "wait for `ready`, or make " + name + " a `type: oneshot`"};
      return {};
    case ServiceType::oneshot:
      if (edge.condition == Condition::ready && target.ready.empty())
        return {wanted + " can never hold: " + name +
                    " is a oneshot without a probe, which is over when it has run",
                "wait for `completed`"};
      return {};
    case ServiceType::external:
      if (edge.condition != Condition::ready && edge.condition != Condition::own_bell)
        return {wanted + " can never hold: belfry does not run the external service " + name,
                "wait for `ready`"};
      return {};
    case ServiceType::gate:
      if (edge.condition != Condition::ready)
        return {wanted + " can never hold: " + name + " is a gate and has no process", "wait for `ready`"};
      return {};
  }
  return {};
}

constexpr std::uint64_t most_counted = 1'000;

// It counts the members of its gate by itself, and those of the gates among them in the same way.
bool asks_members(const Stack& stack, const Dependency& edge) {
  return stack.services[edge.target].type == ServiceType::gate &&
         (edge.require || edge.condition != Condition::ready);
}

// How many services are looked at to say whether enough members of each gate hold.
std::vector<std::uint64_t> members_counted(const Stack& stack) {
  std::vector<std::uint64_t> counted(stack.services.size(), 0);
  for (const Index i : start_order(stack))
    for (const Dependency& edge : stack.services[i].depends_on)
      counted[i] += asks_members(stack, edge) ? std::min(counted[edge.target], most_counted + 1) : 1;
  return counted;
}

bool has_bell(const Service& service, std::string_view name) {
  return service.extras &&
         std::ranges::any_of(service.extras->bells, [&](const OwnBell& bell) { return bell.name == name; });
}

void check_loss_in_gate(Decoder& decoder, const Service& gate, const Dependency& edge) {
  if (edge.on_loss == OnLoss::ignore) return;
  decoder.diagnostics().warning("no-effect", edge_span(edge),
                                "`on_loss` has no effect in the gate " + quote(gate.name) +
                                    ", which counts its members: it holds while enough of them do",
                                "remove it here, and write it where somebody depends on " + quote(gate.name));
}

}  // namespace

void check_cycles(Decoder& decoder, const StackDraft& draft) {
  const auto& services = draft.stack.services;
  for (const auto& cycle : find_cycles(draft.stack)) {
    Diagnostic one;
    one.rule = "cycle";
    one.where = edge_span(services[cycle.front().service].depends_on[cycle.front().edge]);
    one.message = "services wait for each other: ";
    for (const EdgeRef& ref : cycle) {
      const Dependency& edge = services[ref.service].depends_on[ref.edge];
      one.message += services[ref.service].name + " → ";
      one.notes.push_back(
          {edge_span(edge), quote(services[ref.service].name) + " depends on " + quote(edge.service)});
    }
    one.message += services[cycle.front().service].name;
    one.help = cycle.size() == 1 ? "a service cannot wait for itself: remove this dependency"
                                 : "remove one of these dependencies";
    decoder.diagnostics().add(std::move(one));
  }
}

void check_conditions(Decoder& decoder, const StackDraft& draft) {
  const auto& services = draft.stack.services;
  for (std::size_t i = 0; i < services.size(); ++i) {
    if (is_repetition(draft, i)) continue;
    for (const Dependency& edge : services[i].depends_on) {
      const Service* target = &services[edge.target];
      // An edge to replicas asks each of them; what holds of the first holds of all.
      const bool replicas = edge.target + 1 < draft.origins.size() &&
                            draft.origins[edge.target + 1].replica_of == edge.target + 1;
      if (replicas && edge.condition != Condition::ready) target = &services[edge.target + 1];
      // Searched for only where it is shown.
      const auto at = [&] {
        const Node* const node =
            decoder.diagnostics().full() ? nullptr : condition_node(draft.origins[i], edge);
        return node != nullptr ? node->span() : edge_span(edge);
      };
      if (edge.condition == Condition::own_bell) {
        if (has_bell(*target, *edge.bell)) continue;
        const Node* const written = condition_node(draft.origins[i], edge);
        const bool from_variable = written != nullptr && written->text().contains('$');
        decoder.diagnostics().error("unknown-condition", at(),
                                    quote(from_variable ? written->text() : std::string_view(*edge.bell)) +
                                        " is neither a condition nor a bell of " + quote(target->name),
                                    meant_condition(*edge.bell, *target));
      } else if (const Reason reason = impossible(edge, *target); !reason.message.empty()) {
        decoder.diagnostics().error("impossible-condition", at(), reason.message, reason.help);
      }
    }
  }
}

void check_quorums(Decoder& decoder, const StackDraft& draft) {
  const auto& services = draft.stack.services;
  const auto counted = members_counted(draft.stack);
  const auto asks = [&](const Dependency& edge) { return asks_members(draft.stack, edge); };
  const auto is_too_dear = [&](const Dependency& edge) {
    const auto& members = services[edge.target].depends_on;
    return counted[edge.target] > most_counted && std::ranges::any_of(members, asks);
  };
  for (std::size_t i = 0; i < services.size(); ++i) {
    if (is_repetition(draft, i)) continue;
    const Service& service = services[i];
    if (service.type == ServiceType::gate && service.require.count > service.depends_on.size())
      decoder.error("impossible-quorum", *draft.origins[i].mapping->find("require"),
                    "the gate " + quote(service.name) + " requires " + std::to_string(service.require.count) +
                        " of " + std::to_string(service.depends_on.size()) + " dependencies",
                    "require at most as many as it has");
    for (const Dependency& edge : service.depends_on) {
      if (service.type == ServiceType::gate) check_loss_in_gate(decoder, service, edge);
      if (!edge.require) continue;
      const Service& target = services[edge.target];
      if (target.type != ServiceType::gate)
        decoder.diagnostics().error(
            "unfit-key", edge_span(edge),
            "`require` makes sense for a gate or for replicas, and " + quote(target.name) + " is neither",
            "remove it, or give " + quote(target.name) + " `replicas:`");
      else if (edge.require->count > target.depends_on.size())
        decoder.diagnostics().error("impossible-quorum", edge_span(edge),
                                    quote(service.name) + " requires " + std::to_string(edge.require->count) +
                                        " of the " + std::to_string(target.depends_on.size()) +
                                        " members of " + quote(target.name),
                                    "require at most as many as there are");
      else if (is_too_dear(edge) && std::ranges::none_of(target.depends_on, is_too_dear))
        decoder.diagnostics().error("impossible-quorum", edge_span(edge),
                                    "cannot count the members of " + quote(target.name) +
                                        ": by the `require` of its own edges it has more than " +
                                        std::to_string(most_counted),
                                    "put `require` on the gates in between, and depend on them without it");
    }
  }
}

}  // namespace belfry::config
