// Several hosts: `cluster` of the file, `publish` of a service, and the `cluster` probe with its options.

#include <algorithm>
#include <array>
#include <set>

#include "config/decode/decode.hpp"
#include "config/decode/probe_kinds.hpp"
#include "config/keys/quote.hpp"
#include "config/model/name.hpp"
#include "config/model/output_reference.hpp"

namespace belfry::config {
namespace {

using Kind = Probe::Kind;

constexpr std::size_t most_published = 16;  // 64 KiB in all, written as JSON, with those of the run
constexpr std::string_view names_help = "use up to 128 letters, digits, `_`, `-` and `.`";

void read_endpoints(Decoder& decoder, const Entry& entry, Cluster& out) {
  out.etcd = decoder.texts(*entry.value);
  if (out.etcd.empty())
    decoder.error("no-value", *entry.value, "this list of members is empty",
                  "write etcd: [\"https://e1:2379\"]");
}

template <std::string Cluster::* member>
void read_cluster_name(Decoder& decoder, const Entry& entry, Cluster& out) {
  auto name = decoder.free_text(*entry.value);
  if (!name || name->empty()) return;  // ${HOSTNAME} is not set everywhere, and the default is the same
  if (!is_name(*name))
    return decoder.error("bad-name", *entry.value, quote(*name) + " cannot stand in a key of etcd",
                         std::string(names_help));
  out.*member = std::move(*name);
}

void read_ttl(Decoder& decoder, const Entry& entry, Cluster& out) {
  constexpr Duration least = std::chrono::seconds(2), most = std::chrono::hours(1);
  const auto ttl = decoder.duration(*entry.value);
  if (!ttl) return;
  if (*ttl < least || *ttl > most)
    return decoder.error("bad-value", *entry.value, "`ttl` is from 2s to 1h: etcd makes a shorter one longer",
                         "write ttl: 10s");
  out.ttl = *ttl;
}

void read_cluster_id(Decoder& decoder, const Entry& entry, Cluster& out) {
  const auto text = decoder.needed_text(*entry.value);
  if (!text) return;
  std::size_t used = 0;
  const bool is_hex =
      text->size() <= 16 && text->find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (is_hex) out.id = std::stoull(*text, &used, 16);
  if (out.id == 0)
    decoder.error("bad-value", *entry.value, quote(*text) + " is no id of a cluster",
                  "write what `etcdctl endpoint status --write-out=fields` calls \"ClusterID\", in "
                  "hexadecimal digits and in quotes");
}

void read_tls_of_cluster(Decoder& decoder, const Entry& entry, Cluster& out) {
  if (!entry.value->is_mapping()) {
    out.tls_asked = decoder.boolean(*entry.value).value_or(false);
    return;
  }
  out.tls_asked = true;
  if (!decoder.mapping(*entry.value, "`tls` of `cluster`", tls_fields(), out.tls)) return;
  for (std::string* path : {&out.tls.ca, &out.tls.cert, &out.tls.key})
    if (!path->empty()) *path = decoder.absolute(*path);
  if (!out.tls.key.empty() && out.tls.cert.empty())
    decoder.error("missing-key", *entry.value, "`tls` has a `key` and no `cert` that it belongs to",
                  "add `cert: …`");
}

constexpr std::array<Field<Cluster>, 8> cluster_table{{
    {{"etcd", "addresses", "needed",
      "The members: `https://host:port`, `http://host:port`, or `host:port`; asked in an order of chance, "
      "and "
      "any of them is enough.",
      "[\"https://e1:2379\", \"https://e2:2379\"]"},
     read_endpoints},
    {{"name", "name", "the name of the stack",
      "What is shared under this name is one; all keys are below `belfry/NAME/`.", "shop"},
     read_cluster_name<&Cluster::name>},
    {{"host", "name", "the host's name", "What the others call this host. Two with one name are an error.",
      "a"},
     read_cluster_name<&Cluster::host>},
    {{"ttl", "duration", "10s",
      "How long what this host has published may outlive it: belfry says every third of it that it is there, "
      "a fifth earlier or later than the others do.",
      "10s"},
     read_ttl},
    {{"tls", "tls", "none for `http://` and `host:port`",
      "How belfry speaks TLS with the members; also with those that are written without a scheme.",
      "{ca: etcd-ca.pem, cert: shop.pem, key: shop.key}"},
     read_tls_of_cluster},
    {{"user", "text", "none, or the CN of `tls.cert`", "The user of etcd.", "shop"},
     [](Decoder& d, const Entry& e, Cluster& out) { out.user = d.needed_text(*e.value).value_or(""); }},
    {{"password_file", "path", "none", "A file with the user's password; nobody but its owner may read it.",
      "/etc/belfry/etcd-password"},
     [](Decoder& d, const Entry& e, Cluster& out) {
       if (auto path = d.needed_text(*e.value)) out.password_file = d.absolute(*path);
     }},
    {{"id", "text", "that of the first member that answers",
      "The id of the cluster of etcd, in hexadecimal: another one is never believed.",
      "\"cdf818194e3a8c32\""},
     read_cluster_id},
}};

bool is_lower_case_name(std::string_view name) {
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

// What a host is asked from outside.
bool can_confirm(Kind kind) {
  constexpr std::array kinds{Kind::tcp,   Kind::http, Kind::grpc,      Kind::postgres, Kind::mysql,
                             Kind::redis, Kind::amqp, Kind::memcached, Kind::dns,      Kind::exec};
  return std::ranges::find(kinds, kind) != kinds.end();
}

ClusterExpectation& expectation(ProbeDraft& draft) {
  if (!draft.probe.cluster) draft.probe.cluster = std::make_unique<ClusterExpectation>();
  return *draft.probe.cluster;
}

}  // namespace

Fields<Cluster> cluster_fields() { return cluster_table; }

void decode_cluster(Decoder& decoder, const Node& node, StackDraft& draft) {
  Cluster cluster;
  cluster.place = node.place();
  const std::size_t errors = decoder.diagnostics().errors();
  if (!decoder.mapping(node, "`cluster`", cluster_fields(), cluster)) return;
  if (decoder.diagnostics().errors() == errors && cluster.etcd.empty())
    decoder.error("missing-key", node, "`cluster` does not say where etcd is",
                  "add etcd: [\"https://e1:2379\"]");
  if (!cluster.password_file.empty() && cluster.user.empty())
    decoder.error("missing-key", node, "`password_file` is of no `user`", "add `user: …`");
  draft.stack.cluster = std::move(cluster);
}

// `publish: true`, or a mapping of what the others are told beside the outputs.
void decode_publish(Decoder& decoder, const Node& node, ServiceDraft& draft) {
  Publication publication;
  if (node.is_mapping()) {
    std::set<std::string> seen;
    for (const Entry& entry : node.entries()) {
      std::string key = upper_case(entry.key->text());
      if (!is_output_key(key)) {
        decoder.error("bad-name", *entry.key, quote(entry.key->text()) + " cannot be the key of an output",
                      "use letters, digits and `_`: others read it as ${SERVICE.ADDRESS}");
      } else if (!seen.insert(key).second) {
        decoder.error("bad-name", *entry.key, quote(key) + " is published twice", "remove one of them");
      } else if (auto value = decoder.needed_text(*entry.value)) {
        if (value->size() > longest_output_value || value->find_first_of("\r\n") != std::string::npos)
          decoder.error("bad-value", *entry.value, "this is more than others would believe",
                        "a value is one line of 4096 bytes at most");
        publication.outputs.emplace_back(std::move(key), std::move(*value));
      }
    }
    if (publication.outputs.size() > most_published)
      decoder.error("bad-value", node, "others believe " + std::to_string(most_published) + " values at most",
                    "publish one that leads to the others");
  } else if (const auto on = decoder.boolean(node); !on || !*on) {
    return;
  }
  extras_of(draft.service).publish = std::move(publication);
}

void read_cluster(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  out.probe.kind = Kind::cluster;
  ++out.kinds;
  auto name = decoder.needed_text(*entry.value);
  if (!name) return;
  if (!is_name(*name))
    return decoder.error("bad-name", *entry.value, quote(*name) + " cannot be the name of a service",
                         std::string(names_help));
  out.probe.target = std::move(*name);
}

void read_hosts(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  auto& hosts = expectation(out).hosts;
  hosts = decoder.texts(*entry.value);
  if (hosts.empty())
    decoder.error("no-value", *entry.value, "this list of hosts is empty",
                  "name them, or remove the key for whoever publishes it");
  std::set<std::string_view> seen;
  for (const std::string& host : hosts) {
    if (!is_name(host))
      decoder.error("bad-name", *entry.value, quote(host) + " cannot be the name of a host",
                    std::string(names_help));
    else if (!seen.insert(host).second)
      decoder.error("bad-value", *entry.value, quote(host) + " stands twice among `hosts`: it counts once",
                    "remove one of them");
  }
}

void read_require(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  out.require = read_quorum(decoder, *entry.value);
}

void read_confirm(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  const auto of_host = [](std::string_view name) -> std::optional<std::string> {
    if (!is_lower_case_name(name)) return std::nullopt;
    return reference_to({.service = of_that_host, .key = upper_case(name)});
  };
  Lookup before = decoder.ask_first(of_host);
  ProbeSet read = decode_probes(decoder, *entry.value, "`confirm`");
  decoder.ask_first(std::move(before));
  if (read.probes.empty()) return;
  if (read.probes.size() > 1 || read.any)
    return decoder.error("bad-value", *entry.value, "`confirm` is one probe", "write {tcp: \"${address}\"}");
  if (!can_confirm(read.probes.front().kind))
    return decoder.error("unfit-probe", *entry.value, "a probe of this kind cannot ask another host",
                         "use `tcp`, `http`, `exec`, …");
  expectation(out).confirm = std::move(read.probes.front());
}

void settle_cluster(Decoder& decoder, const Node& node, ProbeDraft& draft) {
  if (draft.probe.kind != Kind::cluster) return;
  ClusterExpectation& wanted = expectation(draft);
  const auto named = static_cast<std::uint32_t>(wanted.hosts.size());
  const Quorum require = draft.require.value_or(Quorum{named == 0 ? 1U : 0U});
  wanted.require = require.count == 0 ? named : require.count;
  const Node* written = node.find("require");
  if (named == 0 && require.count == 0)
    decoder.error("bad-value", *written, "`require: all` does not say of which hosts",
                  "add hosts: [a, b, c]");
  else if (named != 0 && wanted.require > named)
    decoder.error("bad-value", *written,
                  "`require` asks for " + std::to_string(wanted.require) + " of " + std::to_string(named) +
                      (named == 1 ? " host" : " hosts") + ": that never happens",
                  "make it " + std::to_string(named) + " at most");
}

}  // namespace belfry::config
