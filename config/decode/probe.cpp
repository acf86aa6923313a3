// `ready`, `live` and the bells of a service's own: one probe, all of a list, or any of one.
#include <algorithm>

#include "config/decode/decode.hpp"
#include "config/decode/merge.hpp"
#include "config/decode/probe_kinds.hpp"
#include "config/document/suggest.hpp"

namespace belfry::config {
namespace {

using Kind = Probe::Kind;

// The kind an option belongs to; empty for tuning, which fits every kind.
std::string_view owner_of(std::string_view key) {
  if (key == "method" || key == "headers" || key == "status" || key == "body" || key == "json" ||
      key == "tls")
    return "http";
  if (key == "dialect") return "fd";
  if (key == "hosts") return "cluster";
  return {};
}

// The kinds that concern a socket, on which some process listens.
bool has_an_owner(Kind kind) {
  return kind == Kind::port || kind == Kind::unix_socket || kind == Kind::tcp || kind == Kind::http ||
         kind == Kind::grpc || kind == Kind::postgres || kind == Kind::mysql || kind == Kind::redis;
}

void check_kind(Decoder& decoder, const Node& node, const ProbeDraft& draft) {
  if (draft.kinds == 0)
    return decoder.error("no-probe-kind", node, "this probe does not say what to look at",
                         "add one of `port`, `notify`, `http`, `tcp`, `exec`, `log`, `file`, …");
  if (draft.kinds > 1) {
    std::string_view first;
    for (const Entry& entry : node.entries()) {
      if (!is_probe_kind(entry.key->text())) continue;
      if (!first.empty())
        return decoder.error("two-probe-kinds", *entry.key,
                             "two kinds in one probe: `" + std::string(first) + "` and `" +
                                 std::string(entry.key->text()) + "`",
                             "write a list for all of them, `any: [...]` for one of them");
      first = entry.key->text();
    }
  }
  for (const Entry& entry : node.entries()) {
    if (entry.key->text() == "owner" && !has_an_owner(draft.probe.kind))
      decoder.error("unfit-key", *entry.key, "`owner` belongs to a probe of `port`, `unix`, `tcp` or `http`",
                    "remove it");
    if (const auto owner = owner_of(entry.key->text());
        !owner.empty() && probe_kind_named(owner) != draft.probe.kind)
      decoder.error(
          "unfit-key", *entry.key,
          "`" + std::string(entry.key->text()) + "` belongs to a probe of kind `" + std::string(owner) + "`",
          "remove it");
  }
}

void settle_recheck(Probe& probe) {
  if (probe.recheck == Duration(0)) probe.recheck = probe.period.value_or(std::chrono::seconds(10));
}

std::optional<Probe> read_probe(Decoder& decoder, const Node& node, std::string_view role) {
  ProbeDraft draft;
  draft.probe.place = node.place();
  if (role == "`live`") draft.probe.failure_threshold = 3;
  if (node.is_scalar()) {
    const auto word = decoder.text(node);
    if (!word) return std::nullopt;
    const auto kind = probe_kind_named(*word);
    if (!kind) {
      decoder.error("unknown-probe", node, "`" + *word + "` is not a kind of probe",
                    did_you_mean(*word, probe_kind_names()));
    } else if (*kind != Kind::notify && *kind != Kind::listen) {
      decoder.error("bad-value", node, "a probe of kind `" + *word + "` needs a value",
                    "write {" + *word + ": …}");
    } else {
      draft.probe.kind = *kind;
      return std::move(draft.probe);
    }
    return std::nullopt;
  }
  const std::size_t errors = decoder.diagnostics().errors();
  if (!decoder.mapping(node, role, probe_fields(), draft)) return std::nullopt;
  const bool good = decoder.diagnostics().errors() == errors;
  if (good || draft.kinds > 1) check_kind(decoder, node, draft);
  if (!good && draft.kinds == 0) return std::nullopt;  // what it was to be is not known
  if (draft.http_written) draft.probe.http = std::make_unique<HttpExpectation>(std::move(draft.http));
  settle_recheck(draft.probe);
  return std::move(draft.probe);
}

// Tuning written beside `any` holds for each of its members.
void read_any(Decoder& decoder, const Node& node, const Node& members, std::string_view role, ProbeSet& out) {
  const Node* const tuning_node =
      without(decoder.document(), node, [](const Entry& entry) { return entry.key->text() == "any"; });
  out.any = true;
  if (!members.is_sequence()) return decoder.mismatch(members, "a list of probes");
  if (members.size == 0)
    decoder.error("no-probe-kind", members, "this list of probes is empty", "remove it, or add a probe");
  for (const Node* member : members.items()) {
    const Node* whole = member;
    if (decoder.overgrown(*member)) return;
    if (member->is_mapping()) whole = merge(decoder.document(), *tuning_node, *member);
    if (auto probe = read_probe(decoder, *whole, role)) out.probes.push_back(std::move(*probe));
  }
}

}  // namespace

bool is_kind_option(std::string_view key) { return !owner_of(key).empty(); }

ProbeSet decode_probes(Decoder& decoder, const Node& node, std::string_view role) {
  ProbeSet set;
  if (node.is_sequence()) {
    if (node.size == 0)
      decoder.error("no-probe-kind", node, "this list of probes is empty", "remove it, or add a probe");
    for (const Node* item : node.items())
      if (auto probe = read_probe(decoder, *item, role)) set.probes.push_back(std::move(*probe));
  } else if (const Node* members = node.is_mapping() ? node.find("any") : nullptr) {
    read_any(decoder, node, *members, role, set);
  } else if (auto probe = read_probe(decoder, node, role)) {
    set.probes.push_back(std::move(*probe));
  }
  return set;
}

}  // namespace belfry::config
