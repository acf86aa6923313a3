// The keys of the top level.
#include <array>

#include "config/difference/values.hpp"
#include "config/model/duration.hpp"

namespace belfry::config {

namespace {

void add(Values& out, std::string_view key, std::string text) {
  if (!text.empty()) out.push_back({.key = std::string(key), .text = std::move(text)});
}

void read_http(const Stack& stack, Values& out) {
  if (!stack.http.listen.empty()) add(out, "http.listen", list_of(stack.http.listen));
  if (!stack.http.tls) return;
  add(out, "http.tls.cert", quoted(stack.http.tls->cert));
  if (!stack.http.tls->key.empty()) add(out, "http.tls.key", quoted(stack.http.tls->key));
  if (!stack.http.tls->client_ca.empty()) add(out, "http.tls.client_ca", quoted(stack.http.tls->client_ca));
}

void read_control(const Stack& stack, Values& out) {
  if (!stack.control.socket.empty()) add(out, "control.socket", quoted(stack.control.socket));
  if (!stack.control.allow.empty()) add(out, "control.allow", list_of(stack.control.allow));
  if (!stack.control.token_file.empty()) add(out, "control.token_file", quoted(stack.control.token_file));
}

void read_cluster(const Stack& stack, Values& out) {
  if (!stack.cluster) return;
  const Cluster& cluster = *stack.cluster;
  add(out, "cluster.etcd", list_of(cluster.etcd));
  add(out, "cluster.name", quoted(cluster.name));
  add(out, "cluster.host", quoted(cluster.host));
  add(out, "cluster.ttl", to_string(cluster.ttl));
  if (cluster.tls_asked) add(out, "cluster.tls", text_of(cluster.tls));
  if (!cluster.user.empty()) add(out, "cluster.user", quoted(cluster.user));
  if (!cluster.password_file.empty()) add(out, "cluster.password_file", quoted(cluster.password_file));
  if (cluster.id != 0) add(out, "cluster.id", std::to_string(cluster.id));
}

constexpr auto rows = std::to_array<StackRow>({
    {"name", [](const Stack& s, Values& out) { add(out, "name", quoted(s.name)); }},
    {"http", read_http},
    {"control", read_control},
    {"shutdown",
     [](const Stack& s, Values& out) {
       add(out, "shutdown.timeout", to_string(s.shutdown.timeout));
       add(out, "shutdown.delay", to_string(s.shutdown.delay));
     }},
    {"limits",
     [](const Stack& s, Values& out) {
       add(out, "limits.probes", std::to_string(s.probe_limit));
       add(out, "limits.parallel_starts",
           s.parallel_starts == 0 ? "unlimited" : std::to_string(s.parallel_starts));
     }},
    {"cluster", read_cluster},
    {"on_daemon_death",
     [](const Stack& s, Values& out) {
       add(out, "on_daemon_death", s.on_daemon_death == OnDaemonDeath::kill ? "kill" : "keep");
     }},
    {"cgroups",
     [](const Stack& s, Values& out) {
       add(out, "cgroups",
           s.cgroups == Cgroups::as_needed ? "auto"
           : s.cgroups == Cgroups::all     ? "all"
                                           : "off");
     }},
    {"ports",
     [](const Stack& s, Values& out) {
       for (const auto& [name, number] : s.ports) add(out, "ports." + name, std::to_string(number));
     }},
});

}  // namespace

std::span<const StackRow> stack_rows() { return rows; }

}  // namespace belfry::config
