// `depends_on` and the conditions of its edges.
#include <algorithm>
#include <array>
#include <unordered_set>

#include "config/decode/decode.hpp"
#include "config/model/enum_names.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

void read_condition(Decoder& decoder, const Entry& entry, Dependency& out) {
  auto name = decoder.text(*entry.value);
  if (!name) return;
  if (const auto known = condition_spelled(*name)) {
    out.condition = *known;
  } else {
    out.condition = Condition::own_bell;  // whether the service has such a bell is seen by validation
    out.bell = std::move(*name);
  }
}

constexpr std::array<Field<Dependency>, 6> dependency_table{{
    {{"condition", "condition", "`ready`; of a oneshot: `completed`",
      "What must hold of the dependency: `started`, `ready`, `completed`, `stopped`, or one of its own "
      "bells. The words of compose and process-compose are understood.",
      "ready"},
     read_condition},
    {{"on_loss", "on_loss", "ignore",
      "What a running dependent does when the condition no longer holds: nothing, stop and wait again "
      "(`restart`), or stop for good (`stop`). In a gate it has no effect, which counts its members.",
      "restart"},
     [](Decoder& d, const Entry& e, Dependency& out) {
       if (auto value = d.choice<OnLoss>(*e.value, on_loss_names())) out.on_loss = *value;
     }},
    {{"loss_after", "duration", "0s", "How long the condition must not hold before it counts as lost.", "5s"},
     [](Decoder& d, const Entry& e, Dependency& out) {
       if (auto value = d.duration(*e.value)) out.loss_after = *value;
     }},
    {{"required", "boolean", "true",
      "`false`: wait until the dependency has settled either way, and do not start it. It need not be in any "
      "of "
      "the merged files: then nobody waits for it, and a gate does not count it.",
      "false"},
     [](Decoder& d, const Entry& e, Dependency& out) {
       if (auto value = d.boolean(*e.value)) out.required = *value;
     }},
    {{"timeout", "duration", "none", "How long to wait; then the dependent has failed to start.", "30s"},
     [](Decoder& d, const Entry& e, Dependency& out) {
       if (auto value = d.duration(*e.value)) out.timeout = *value;
     }},
    {{"require", "quorum", "all",
      "Of a gate or of replicas: how many members must hold: `all`, `any` or a number.", "2"},
     [](Decoder& d, const Entry& e, Dependency& out) { out.require = read_quorum(d, *e.value); }},
}};

void check_target(Decoder& decoder, const Node& name, ServiceDraft& draft, Dependency& edge,
                  bool condition_written) {
  const auto found = draft.stack.declared.find(edge.service);
  if (found != draft.stack.declared.end()) {
    edge.target = found->second.index;
    if (!condition_written && found->second.type == ServiceType::oneshot)
      edge.condition = Condition::completed;
    return;
  }
  std::string help;
  // A generated file may be wrong in ten thousand places, and each would be compared with ten thousand names.
  if (++draft.stack.suggestions <= 50) {
    std::vector<std::string_view> names;
    for (const auto& [known, declared] : draft.stack.declared) names.push_back(known);
    std::ranges::sort(names);
    // A dependency that need not exist may be absent on purpose, so that only a similar name is worth
    // mentioning.
    if (edge.required || !text::nearest(edge.service, names).empty())
      help = text::did_you_mean(edge.service, names);
  }
  if (help.empty())
    help = edge.required ? "add a service of this name, or remove the dependency"
                         : "merge the file that has it with -c, if it was meant to be there";
  std::string message =
      "`" + std::string(draft.written_name) + "` depends on `" + edge.service + "`, which does not exist";
  // It may be in a file that is not merged this time, as compose has it; the edge then goes with it.
  if (!edge.required)
    return decoder.remark("absent-dependency", name,
                          message + " here; it is not required, so nobody waits for it", std::move(help));
  decoder.error("unknown-dependency", name, std::move(message), std::move(help));
}

}  // namespace

std::optional<Quorum> read_quorum(Decoder& decoder, const Node& node) {
  if (node.text() == "all") return Quorum{0};
  if (node.text() == "any") return Quorum{1};
  const auto count = decoder.integer(node, 1, 100'000);
  return count ? std::optional(Quorum{static_cast<std::uint32_t>(*count)}) : std::nullopt;
}

Fields<Dependency> dependency_fields() { return dependency_table; }

void decode_dependencies(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  auto& edges = draft.service.depends_on;
  const auto add = [&](const Node& name, std::string service, const Node* value) {
    Dependency edge;
    edge.service = std::move(service);
    edge.place = name.place();
    bool written = false;
    if (value != nullptr && value->is_scalar()) {
      read_condition(decoder, {&name, value}, edge);
      written = true;
    } else if (value != nullptr && !value->is_null()) {
      if (!decoder.mapping(*value, "a dependency", dependency_fields(), edge)) return;
      written = value->find("condition") != nullptr;
    }
    check_target(decoder, name, draft, edge, written);
    edges.push_back(std::move(edge));
  };
  if (node.is_mapping()) {
    edges.reserve(node.size);
    for (const Entry& entry : node.entries()) add(*entry.key, std::string(entry.key->text()), entry.value);
  } else if (node.is_sequence()) {
    edges.reserve(node.size);
    std::unordered_set<std::string> seen;
    for (const Node* item : node.items()) {
      auto name = decoder.free_text(*item);
      if (!name) continue;
      if (node.size > 1 && !seen.insert(*name).second)
        decoder.error("duplicate-dependency", *item,
                      "`" + std::string(draft.written_name) + "` depends on `" + *name + "` twice",
                      "keep one of them");
      else
        add(*item, std::move(*name), nullptr);
    }
  } else {
    decoder.mismatch(node, "a list of services, or a mapping of services to conditions",
                     "write depends_on: [NAME]");
  }
}

}  // namespace belfry::config
