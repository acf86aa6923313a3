// `ready`, `live` and the bells of a service's own: one probe, all of a list, or any of one.
#include <algorithm>
#include <array>

#include "config/decode/decode.hpp"
#include "config/decode/merge.hpp"
#include "config/decode/probe_kinds.hpp"
#include "text/suggest.hpp"

namespace belfry::config {
namespace {

using Kind = Probe::Kind;

// Kinds as a bit set.
using Kinds = std::uint32_t;
constexpr Kinds only(Kind kind) { return Kinds{1} << static_cast<unsigned>(kind); }

// What connects to a server, and may speak TLS with it.
constexpr Kinds connecting = only(Kind::tcp) | only(Kind::http) | only(Kind::grpc) | only(Kind::postgres) |
                             only(Kind::mysql) | only(Kind::redis) | only(Kind::amqp) | only(Kind::memcached);

// What is an option of some kinds, and which; everything else is tuning, which fits every kind.
struct Option {
  std::string_view key;
  Kinds kinds;
  std::string_view owners;  // for messages
};
constexpr std::array<Option, 17> options{{
    {"method", only(Kind::http), "`http`"},
    {"headers", only(Kind::http), "`http`"},
    {"status", only(Kind::http), "`http`"},
    {"body", only(Kind::http), "`http`"},
    {"json", only(Kind::http), "`http`"},
    {"tls", connecting, "a server: `http`, `tcp`, `redis`, …"},
    {"send", only(Kind::tcp), "`tcp`"},
    {"expect", only(Kind::tcp), "`tcp`"},
    {"query", only(Kind::postgres) | only(Kind::mysql), "`postgres` or `mysql`"},
    {"exists", only(Kind::file), "`file`"},
    {"socket", only(Kind::file), "`file`"},
    {"contains", only(Kind::file), "`file`"},
    {"dialect", only(Kind::fd), "`fd`"},
    {"hosts", only(Kind::cluster), "`cluster`"},
    {"require", only(Kind::cluster), "`cluster`"},
    {"confirm", only(Kind::cluster), "`cluster`"},
    {"owner", connecting | only(Kind::port) | only(Kind::unix_socket),
     "`port`, `unix` or a server: `http`, `tcp`, `redis`, …"},
}};

const Option* option_named(std::string_view key) {
  const auto found = std::ranges::find(options, key, &Option::key);
  return found == options.end() ? nullptr : &*found;
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
    const Option* const option = option_named(entry.key->text());
    if (option != nullptr && (option->kinds & only(draft.probe.kind)) == 0)
      decoder.error("unfit-key", *entry.key,
                    "`" + std::string(option->key) + "` belongs to a probe of " + std::string(option->owners),
                    "remove it");
  }
}

// What a file that is not there could not have.
void check_file(Decoder& decoder, const Node& node, const Probe& probe) {
  if (!probe.file) return;
  const FileExpectation& file = *probe.file;
  const auto contradiction = [&](std::string_view key, std::string_view other) {
    decoder.error("unfit-key", *node.find(key),
                  "`" + std::string(key) + "` beside `" + std::string(other) + "` can never be true",
                  "remove one of them");
  };
  if (!file.exists && file.socket) contradiction("socket", "exists: false");
  if (!file.exists && !file.contains.empty()) contradiction("contains", "exists: false");
  if (file.socket && !file.contains.empty()) contradiction("contains", "socket: true");
}

// Whether http is within TLS, its URL says: beside `http://` nothing of this would be done.
void check_tls(Decoder& decoder, const Node& node, const Probe& probe) {
  const bool is_plain = probe.target.starts_with("http://") || probe.target.starts_with("http+unix://");
  if (probe.kind == Kind::http && probe.tls && is_plain)
    decoder.error("unfit-key", *node.find("tls"), "`tls` beside a URL of plain http has no effect",
                  "write https:// in the URL, or remove `tls`");
}

// Only what is asked for as long as the service runs can fail.
void check_on_failure(Decoder& decoder, const Node& node, std::string_view role) {
  if (role == "`live`") return;
  for (const Entry& entry : node.entries()) {
    if (entry.key->text() == "on_failure")
      decoder.error("unfit-key", *entry.key, "`on_failure` belongs to `live`",
                    "move it to `live`; `recheck` makes a service unready that is no longer ready");
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
                    text::did_you_mean(*word, probe_kind_names()));
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
  if (good) check_file(decoder, node, draft.probe);
  if (good) check_tls(decoder, node, draft.probe);
  if (good) settle_cluster(decoder, node, draft);
  check_on_failure(decoder, node, role);
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

bool is_kind_option(std::string_view key) { return key != "owner" && option_named(key) != nullptr; }

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
