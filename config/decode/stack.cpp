// The top level of the file.
#include <algorithm>
#include <array>
#include <filesystem>

#include "config/decode/decode.hpp"
#include "config/decode/free_ports.hpp"
#include "config/model/address.hpp"
#include "config/model/name.hpp"

namespace belfry::config {
namespace {

bool good_listen_address(Decoder& decoder, const Node& node, std::string& address) {
  if (address.starts_with("unix:")) {
    const std::string path = address.substr(5);
    if (path.empty()) {
      decoder.error("bad-value", node, "`unix:` needs a path", "write unix:/run/belfry/http.sock");
      return false;
    }
    if (!path.starts_with('@')) address = "unix:" + decoder.absolute(path);
    return true;
  }
  const auto parsed = parse_host_port(address);
  if (!parsed) decoder.malformed(node, parsed.error());
  return parsed.has_value();
}

void read_http_listen(Decoder& decoder, const Entry& entry, Http& out) {
  out.place = entry.value->place();
  const auto one = [&](const Node& node) {
    auto address = decoder.text(node);
    if (address && good_listen_address(decoder, node, *address)) out.listen.push_back(std::move(*address));
  };
  if (!entry.value->is_sequence()) return one(*entry.value);
  for (const Node* item : entry.value->items()) one(*item);
}

constexpr std::array<Field<HttpTls>, 3> http_tls_table{{
    {{"cert", "path", "needed",
      "The certificate, and those that lead to its authority behind it (PEM). Read again when it has "
      "changed.",
      "/etc/belfry/tls/tls.crt"},
     [](Decoder& d, const Entry& e, HttpTls& out) {
       if (auto path = d.needed_text(*e.value)) out.cert = d.absolute(*path);
     }},
    {{"key", "path", "in the file of `cert`", "The private key (PEM), without a passphrase.",
      "/etc/belfry/tls/tls.key"},
     [](Decoder& d, const Entry& e, HttpTls& out) {
       if (auto path = d.needed_text(*e.value)) out.key = d.absolute(*path);
     }},
    {{"client_ca", "path", "none: clients need no certificate",
      "Authorities (PEM): only clients with a certificate of theirs are let in.", "/etc/belfry/tls/ca.crt"},
     [](Decoder& d, const Entry& e, HttpTls& out) {
       if (auto path = d.needed_text(*e.value)) out.client_ca = d.absolute(*path);
     }},
}};

constexpr std::array<Field<Http>, 2> http_table{{
    {{"listen", "addresses", "none",
      "Where health, metrics, the API and the dashboard are served: `host:port` or `unix:/path`, one or a "
      "list.",
      "127.0.0.1:9600"},
     read_http_listen},
    {{"tls", "http_tls", "none: plain HTTP", "TLS 1.2 and 1.3 on all addresses of `listen` but unix sockets.",
      "{cert: tls.crt, key: tls.key}"},
     [](Decoder& d, const Entry& e, Http& out) {
       HttpTls tls;
       if (!d.mapping(*e.value, "`tls`", http_tls_fields(), tls)) return;
       if (tls.cert.empty())
         d.error("missing-key", *e.value, "`tls` of `http` needs a certificate",
                 "write {cert: FILE, key: FILE}");
       else
         out.tls = std::move(tls);
     }},
}};

constexpr std::array<Field<Control>, 3> control_table{{
    {{"socket", "path",
      "`$XDG_RUNTIME_DIR/belfry/NAME.sock`, else `/run/belfry/NAME.sock`, else in a private directory below "
      "the temporary one",
      "The unix socket for commands that change something; mode 0600, the caller's credentials are checked.",
      "/run/belfry/shop.sock"},
     [](Decoder& d, const Entry& e, Control& out) {
       if (auto path = d.needed_text(*e.value)) out.socket = d.absolute(*path);
     }},
    {{"allow", "texts", "nobody else", "Groups whose members may use the socket besides its owner and root.",
      "[operators]"},
     [](Decoder& d, const Entry& e, Control& out) { out.allow = d.texts(*e.value); }},
    {{"token_file", "path", "none",
      "A file with the bearer token that lets TCP clients see everything and send commands "
      "(`Authorization: Bearer …`). Nobody but its owner may write it.",
      "/etc/belfry/token"},
     [](Decoder& d, const Entry& e, Control& out) {
       if (auto path = d.needed_text(*e.value)) out.token_file = d.absolute(*path);
     }},
}};

constexpr std::array<Field<Shutdown>, 2> shutdown_table{{
    {{"timeout", "duration", "25s",
      "One budget for the whole graceful stop, counted from the first signal. 25 s fits the 30 s Kubernetes "
      "gives.",
      "25s"},
     [](Decoder& d, const Entry& e, Shutdown& out) {
       if (auto value = d.duration(*e.value)) out.timeout = *value;
     }},
    {{"delay", "duration", "0s",
      "How long services run on after `/readyz` has turned 503, so that load balancers notice.", "3s"},
     [](Decoder& d, const Entry& e, Shutdown& out) {
       if (auto value = d.duration(*e.value)) out.delay = *value;
     }},
}};

constexpr std::array<Field<Stack>, 2> limits_table{{
    {{"probes", "integer", "256", "How many probes may run at the same time.", "256", fits_all, "1",
      "1000000"},
     [](Decoder& d, const Entry& e, Stack& out) {
       if (auto value = d.integer(*e.value, 1, 1'000'000))
         out.probe_limit = static_cast<std::uint32_t>(*value);
     }},
    {{"parallel_starts", "integer_or_unlimited", "unlimited",
      "How many services may be between exec and ready at the same time.", "8", fits_all, "1", "1000000"},
     [](Decoder& d, const Entry& e, Stack& out) {
       if (e.value->text() == "unlimited") return;
       if (auto value = d.integer(*e.value, 1, 1'000'000))
         out.parallel_starts = static_cast<std::uint32_t>(*value);
     }},
}};

void read_name(Decoder& decoder, const Entry& entry, StackDraft& out) {
  auto name = decoder.free_text(*entry.value);
  if (!name) return;
  if (is_name(*name))
    out.stack.name = std::move(*name);
  else
    decoder.error("bad-name", *entry.value, "`" + *name + "` cannot name a stack",
                  "use letters, digits, `_`, `-` and `.`");
}

constexpr std::array<std::pair<std::string_view, OnDaemonDeath>, 2> deaths{
    {{"kill", OnDaemonDeath::kill}, {"keep", OnDaemonDeath::keep}}};

constexpr std::array<std::pair<std::string_view, Cgroups>, 3> cgroup_choices{
    {{"auto", Cgroups::as_needed}, {"all", Cgroups::all}, {"off", Cgroups::off}}};

constexpr std::array<Field<StackDraft>, 11> stack_table{{
    {refused_by_reload({"name", "name", "the name of the file's directory",
                        "The name of the stack: in messages, in the path of the control socket.", "shop"}),
     read_name},
    {refused_by_reload({"http", "http", "off", "Health, metrics, API and dashboard over HTTP.",
                        "{listen: \"127.0.0.1:9600\"}"}),
     [](Decoder& d, const Entry& e, StackDraft& out) {
       d.mapping(*e.value, "`http`", http_fields(), out.stack.http);
     }},
    {refused_by_reload({"control", "control", "a socket at the default path", "The socket for commands.",
                        "{socket: /run/belfry/shop.sock}"}),
     [](Decoder& d, const Entry& e, StackDraft& out) {
       d.mapping(*e.value, "`control`", control_fields(), out.stack.control);
     }},
    {in_place({"shutdown", "shutdown", "25 s", "The graceful stop of the whole stack.",
               "{timeout: 25s, delay: 0s}"}),
     [](Decoder& d, const Entry& e, StackDraft& out) {
       d.mapping(*e.value, "`shutdown`", shutdown_fields(), out.stack.shutdown);
     }},
    {refused_by_reload({"limits", "limits", "256 probes", "Limits on what runs at the same time.",
                        "{probes: 256, parallel_starts: 8}"}),
     [](Decoder& d, const Entry& e, StackDraft& out) {
       d.mapping(*e.value, "`limits`", limits_fields(), out.stack);
     }},
    {refused_by_reload({"cluster", "cluster", "none: this host alone",
                        "Readiness shared with other hosts, through etcd.",
                        "{etcd: [\"https://e1:2379\"], host: a}"}),
     [](Decoder& d, const Entry& e, StackDraft& out) { decode_cluster(d, *e.value, out); }},
    {refused_by_reload({"on_daemon_death", "on_daemon_death", "kill",
                        "What becomes of the services when belfry itself is killed: they are killed, or kept "
                        "until the next "
                        "`run` of the stack (the same control socket), which ends them, dependents first, "
                        "before it starts.",
                        "kill"}),
     [](Decoder& d, const Entry& e, StackDraft& out) {
       const auto value = d.choice<OnDaemonDeath>(*e.value, deaths);
       if (!value) return;
       out.stack.on_daemon_death = *value;
       if (*value == OnDaemonDeath::keep)
         d.remark(
             "kept-output", *e.value,
             "the output of services goes through belfry: when it is killed, those that are kept write into "
             "a pipe that nobody reads, which ends them (SIGPIPE) unless they ignore it",
             "give services that write `log: inherit`");
     }},
    {refused_by_reload(
         {"cgroups", "cgroups", "auto",
          "Which services get a cgroup of their own, where a cgroup v2 is writable: `auto` those with "
          "`cgroup` "
          "or "
          "`isolate`, `all` every one (its end is then exact, its start about twice as slow), `off` none.",
          "all"}),
     [](Decoder& d, const Entry& e, StackDraft& out) {
       if (auto value = d.choice<Cgroups>(*e.value, cgroup_choices)) out.stack.cgroups = *value;
     }},
    {in_place({"ports", "ports", "none",
               "Ports by name, usable everywhere as `${PORT_name}`. `free` is a port nobody uses, so that "
               "ten jobs "
               "can share a host.",
               "{web: free, admin: 9001}"}),
     [](Decoder&, const Entry&,
        StackDraft&) { /* read first, by load: its variables are used in the rest */ }},
    {in_place({"defaults", "service", "none",
               "Keys merged under every service: mappings key by key, lists replace. Keys that do not fit a "
               "service's "
               "type are skipped.",
               "{stop: {timeout: 5s}}"}),
     [](Decoder& d, const Entry& e, StackDraft& out) {
       if (d.expect_mapping(*e.value, "`defaults`")) out.defaults = e.value;
     }},
    {in_place({"services", "services", "none: needed", "The services by name.", "{web: {command: ./web}}"}),
     [](Decoder& d, const Entry& e, StackDraft& out) {
       if (d.expect_mapping(*e.value, "`services`")) out.services = e.value;
     }},
}};

}  // namespace

Fields<Http> http_fields() { return http_table; }
Fields<HttpTls> http_tls_fields() { return http_tls_table; }
Fields<Control> control_fields() { return control_table; }
Fields<Shutdown> shutdown_fields() { return shutdown_table; }
Fields<Stack> limits_fields() { return limits_table; }
Fields<StackDraft> stack_fields() { return stack_table; }

bool check_name(Decoder& decoder, const Node& key, std::string_view what) {
  if (is_name(key.text())) {
    decoder.warn_of_trap(key, key.text());
    return true;
  }
  decoder.error("bad-name", key,
                "`" + std::string(key.text().substr(0, 100)) + "` cannot name " + std::string(what),
                "use up to 128 letters, digits, `_`, `-` and `.`, beginning with a letter, a digit or `_`");
  return false;
}

namespace {

bool is_kept(const KeptPorts& kept, std::string_view name) {
  return std::ranges::find(kept, name, [](const auto& pair) { return pair.first; }) != kept.end();
}

// Ports for all that are `free` and not among `kept`, in the order of the file; asked for at once, so that
// they are distinct.
std::vector<std::uint16_t> choose_ports(const Node& node, const KeptPorts& kept, const FreePorts& free) {
  const auto wanted = std::ranges::count_if(node.entries(), [&](const Entry& entry) {
    return entry.value->text() == "free" && !is_kept(kept, entry.key->text());
  });
  if (wanted == 0 || !free) return {};
  return free(static_cast<std::size_t>(wanted));
}

}  // namespace

void decode_ports(Decoder& decoder, const Node& node, StackDraft& draft, const KeptPorts& kept,
                  const FreePorts& free) {
  if (!decoder.expect_mapping(node, "`ports`")) return;
  const std::vector<std::uint16_t> chosen = choose_ports(node, kept, free);
  auto next = chosen.begin();
  for (const Entry& entry : node.entries()) {
    std::string name(entry.key->text());
    if (!is_variable_name(name)) {
      decoder.error("bad-name", *entry.key, "`" + name + "` cannot name a port",
                    "use letters, digits and `_`: it becomes the variable ${PORT_name}");
      continue;
    }
    std::optional<std::uint16_t> number;
    if (entry.value->text() == "free") {
      const auto before = std::ranges::find(kept, name, [](const auto& pair) { return pair.first; });
      if (before != kept.end())
        number = before->second;
      else if (next != chosen.end())
        number = *next++;
      else
        decoder.error("no-free-port", *entry.value,
                      free ? "cannot find a free port on loopback"
                           : "cannot choose a free port: whoever reads this file here looks for none",
                      "give a number");
    } else if (entry.value->is_scalar()) {
      number = decoder.port(*entry.value);
    } else {
      decoder.mismatch(*entry.value, "a port or `free`");
    }
    if (!number) continue;
    decoder.define("PORT_" + name, std::to_string(*number));
    draft.stack.ports.emplace_back(std::move(name), *number);
  }
}

}  // namespace belfry::config
