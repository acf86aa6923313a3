// The keys of a probe: what each kind takes, its options, and tuning.
#include <algorithm>
#include <array>
#include <charconv>

#include "config/decode/decode.hpp"
#include "config/decode/probe_kinds.hpp"
#include "config/model/address.hpp"
#include "config/model/database_address.hpp"
#include "config/model/output_reference.hpp"
#include "config/model/pattern.hpp"

namespace belfry::config {
namespace {

using Kind = Probe::Kind;

void take_kind(const Entry& entry, ProbeDraft& out) {
  out.probe.kind = *probe_kind_named(entry.key->text());
  ++out.kinds;
}

// `notify: true`.
void read_flag(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  take_kind(entry, out);
  if (auto on = decoder.boolean(*entry.value); on && !*on)
    decoder.error("bad-value", *entry.value, "a probe cannot be switched off with `false`", "remove it");
}

void read_port(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  take_kind(entry, out);
  const Node* number = entry.value;
  if (number->is_scalar() && number->text() == "any") return;
  if (number->is_mapping()) {
    if (number->size != 1 ||
        (number->entries()[0].key->text() != "udp" && number->entries()[0].key->text() != "tcp"))
      return decoder.mismatch(*number, "a port, `{tcp: N}` or `{udp: N}`");
    out.probe.udp = number->entries()[0].key->text() == "udp";
    number = number->entries()[0].value;
  }
  const auto written = decoder.text(*number);
  if (!written) return;
  if (has_reference(*written)) {
    out.probe.target = *written;
  } else if (const auto port = parse_port(*written)) {
    out.probe.port = *port;
  } else {
    decoder.malformed(*number, port.error());
  }
}

void read_fd(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  take_kind(entry, out);
  if (auto fd = decoder.integer(*entry.value, 3, 1023)) out.probe.fd = static_cast<std::uint16_t>(*fd);
}

void read_text(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  take_kind(entry, out);
  auto value = decoder.free_text(*entry.value);
  if (!value) return;
  if (value->empty())
    decoder.error("bad-value", *entry.value, "`" + std::string(entry.key->text()) + "` needs a value",
                  "give it a value, or remove the probe");
  out.probe.target = std::move(*value);
}

void read_address(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  read_text(decoder, entry, out);
  const std::string& target = out.probe.target;
  if (target.empty() || has_reference(target)) return;  // then it is looked at when it is asked
  const std::string address = out.probe.kind == Kind::grpc ? target.substr(0, target.find('/')) : target;
  if (const auto parsed = parse_host_port(address); !parsed) decoder.malformed(*entry.value, parsed.error());
}

// host:port or a URL of that scheme; false if it is neither.
bool read_server(Decoder& decoder, const Entry& entry, ProbeDraft& out, std::string_view scheme) {
  if (out.probe.target.empty() || has_reference(out.probe.target)) return false;
  out.probe.target = with_lower_scheme(out.probe.target);
  const auto good = check_server(out.probe.target, scheme);
  if (!good) decoder.malformed(*entry.value, good.error());
  return good.has_value();
}

// The path of `redis://host/3` is the number of a database.
bool is_database(std::string_view path) {
  return path.size() <= 6 && path.find_first_not_of("0123456789") == std::string_view::npos;
}

void read_redis(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  read_text(decoder, entry, out);
  const std::string& target = out.probe.target;
  if (target.starts_with('/') || has_reference(target)) return;
  if (target.starts_with("unix:")) {
    const bool has_path = target.starts_with("unix:/") && target.size() > std::string_view("unix:///").size();
    if (!has_path)
      decoder.error("bad-value", *entry.value, "`unix:` needs the whole path of a socket",
                    "write unix:/run/redis/redis.sock");
    return;
  }
  if (!read_server(decoder, entry, out, "redis")) return;
  const auto scheme = target.find("://");
  const auto path = target.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  if (scheme != std::string::npos && path != std::string::npos && !is_database(target.substr(path + 1)))
    decoder.error("bad-value", *entry.value, "what stands behind the host is not the number of a database",
                  "write redis://HOST:PORT/0, or nothing behind the port");
}

void read_amqp(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  read_text(decoder, entry, out);
  read_server(decoder, entry, out, "amqp");
}

void read_postgres(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  read_text(decoder, entry, out);
  if (out.probe.target.empty() || has_reference(out.probe.target)) return;
  if (const auto parsed = parse_postgres(out.probe.target); !parsed)
    decoder.malformed(*entry.value, parsed.error());
}

void read_mysql(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  read_text(decoder, entry, out);
  if (out.probe.target.empty() || has_reference(out.probe.target)) return;
  if (const auto parsed = parse_mysql(out.probe.target); !parsed)
    decoder.malformed(*entry.value, parsed.error());
}

void read_url(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  read_text(decoder, entry, out);
  if (out.probe.target.empty()) return;
  out.probe.target = with_lower_scheme(out.probe.target);
  if (has_reference(out.probe.target)) return;
  if (const auto good = check_url(out.probe.target); !good) decoder.malformed(*entry.value, good.error());
}

constexpr std::array<Field<ProbeDraft>, 2> log_table{{
    {{"regex", "regex", "needed", "What must occur in a line.", "\"listening on (?P<PORT>\\\\d+)\""},
     [](Decoder& d, const Entry& e, ProbeDraft& out) {
       if (auto value = d.free_text(*e.value)) out.probe.target = std::move(*value);
     }},
    {{"times", "integer", "1", "In how many lines it must occur.", "2", fits_all, "1", "1000000"},
     [](Decoder& d, const Entry& e, ProbeDraft& out) {
       if (auto value = d.integer(*e.value, 1, 1'000'000))
         out.probe.times = static_cast<std::uint32_t>(*value);
     }},
}};

void read_log(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  if (!entry.value->is_mapping()) {
    read_text(decoder, entry, out);
  } else {
    take_kind(entry, out);
    if (!decoder.mapping(*entry.value, "`log` of a probe", log_probe_fields(), out)) return;
    if (entry.value->find("regex") == nullptr)
      decoder.error("missing-key", *entry.value, "`log` does not say what must occur in a line",
                    "add `regex: …`");
  }
  if (!out.probe.target.empty()) check_regex(decoder, *entry.value, out.probe.target);
}

constexpr std::array<Field<ProbeDraft>, 2> dns_table{{
    {{"name", "text", "needed", "The name that is looked up.", "db.internal"},
     [](Decoder& d, const Entry& e, ProbeDraft& out) {
       if (auto value = d.needed_text(*e.value)) out.probe.target = std::move(*value);
     }},
    {may_refer(
         {"server", "text", "those of the host",
          "The name server that alone is asked, for exactly this name: no hosts file, no search domains. "
          "host:port; "
          "without a port, 53.",
          "127.0.0.1:53"}),
     [](Decoder& d, const Entry& e, ProbeDraft& out) {
       auto value = d.needed_text(*e.value);
       if (!value) return;
       const bool has_port = value->contains(':') && !value->ends_with(']');
       const auto parsed = parse_host_port(has_port ? *value : *value + ":53");
       if (!parsed && !has_reference(*value)) return d.malformed(*e.value, parsed.error());
       out.probe.server = std::move(*value);
     }},
}};

// `dns: NAME`, or `dns: {name: NAME, server: HOST:PORT}`.
void read_dns(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  if (!entry.value->is_mapping()) return read_text(decoder, entry, out);
  take_kind(entry, out);
  if (!decoder.mapping(*entry.value, "`dns`", dns_fields(), out)) return;
  if (entry.value->find("name") == nullptr)
    decoder.error("missing-key", *entry.value, "`dns` does not say which name is looked up", "add `name: …`");
}

void read_exec(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  take_kind(entry, out);
  out.probe.command = decoder.command(*entry.value);
}

void read_dialect(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  constexpr std::array<std::pair<std::string_view, FdDialect>, 2> known{
      {{"s6", FdDialect::s6}, {"dinit", FdDialect::dinit}}};
  if (auto value = decoder.choice<FdDialect>(*entry.value, known)) out.probe.dialect = *value;
}

void read_owner(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  constexpr std::array<std::pair<std::string_view, bool>, 2> known{{{"service", false}, {"any", true}}};
  if (auto value = decoder.choice<bool>(*entry.value, known)) out.probe.any_owner = *value;
}

// A probe that is asked all the time, or that never gets an answer in time, is a mistake.
std::optional<Duration> positive(Decoder& decoder, const Node& node) {
  const auto value = decoder.duration(node);
  if (!value || *value > Duration(0)) return value;
  decoder.error("bad-value", node, "a probe needs a time longer than 0",
                "write 1s, or remove the key for the default");
  return std::nullopt;
}

template <OptionalDuration Probe::* member>
void read_duration(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  if (auto value = positive(decoder, *entry.value)) out.probe.*member = *value;
}

void read_initial_delay(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  if (auto value = decoder.duration(*entry.value)) out.probe.initial_delay = *value;
}

template <std::uint32_t Probe::* member>
void read_threshold(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  if (auto value = decoder.integer(*entry.value, 1, 1'000'000))
    out.probe.*member = static_cast<std::uint32_t>(*value);
}

void read_recheck(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  const std::string_view text = entry.value->text();
  if (text == "false") return;
  if (text == "true")
    out.probe.recheck = Duration(0);  // becomes `period` once that is known
  else if (auto value = positive(decoder, *entry.value))
    out.probe.recheck = *value;
}

constexpr std::array<Field<ProbeDraft>, 44> probe_table{{
    {{"listen", "flag", "",
      "Socket activation: belfry itself has bound the sockets of `listen:` and passes them on; true before "
      "the service even runs.",
      "true"},
     read_flag},
    {may_refer({"port", "probe_port", "",
                "A process of this service listens on the port. The kernel tells; nothing is polled.",
                "8080"}),
     read_port},
    {may_refer({"unix", "path", "", "A process of this service listens on the unix socket.", "run/app.sock"}),
     read_text},
    {{"notify", "flag", "", "The service says READY=1 on its notify socket (sd_notify).", "true"}, read_flag},
    {{"fd", "integer", "",
      "The service writes a newline (`dialect: s6`) or any byte (`dialect: dinit`) to this descriptor; 3 or "
      "more.",
      "3", fits_all, "3", "1023"},
     read_fd},
    {may_refer({"tcp", "address", "", "A connection to host:port is accepted.", "127.0.0.1:5432"}),
     read_address},
    {may_refer(
         {"http", "url", "",
          "A request is answered with a status from 200 to 399 (a redirect is not followed), or as `status`, "
          "`body` "
          "and `json` ask; also `https://…`, and `http+unix://%2Frun%2Fapp.sock/health` on a unix socket.",
          "http://127.0.0.1:8080/health"}),
     read_url},
    {may_refer({"grpc", "text", "",
                "grpc.health.v1 answers SERVING: `host:port` for the server as a whole, or "
                "`host:port/service`; HTTP/2 "
                "without TLS, or with `tls`.",
                "127.0.0.1:9000"}),
     read_address},
    {may_refer({"postgres", "text", "",
                "The server takes clients: it begins a session or asks for a password (not starting up, "
                "recovering, "
                "shutting down or full); a libpq connection string or URL that names the host.",
                "\"host=127.0.0.1 dbname=shop\""}),
     read_postgres},
    {may_refer({"mysql", "text", "",
                "The server takes clients: it lets one in, or says whom it would; `host:port`, a socket's "
                "path, or a "
                "URL.",
                "mysql://127.0.0.1:3306/shop"}),
     read_mysql},
    {may_refer(
         {"redis", "text", "",
          "PING is answered with PONG: not loading, not without a password that it asks for. host:port, "
          "`redis://USER:PASSWORD@HOST:PORT/DATABASE` (`rediss`: TLS), or the path of a unix socket.",
          "127.0.0.1:6379"}),
     read_redis},
    {may_refer(
         {"amqp", "text", "",
          "The broker answers a client's greeting (AMQP 0-9-1) with its own; nobody logs in. host:port, "
          "`amqp://…` "
          "or `amqps://…`.",
          "127.0.0.1:5672"}),
     read_amqp},
    {may_refer({"memcached", "address", "", "`version` is answered: host:port.", "127.0.0.1:11211"}),
     read_address},
    {may_refer(
         {"dns", "dns_probe", "",
          "A name has an address: by the host's own means (its hosts file, then its name servers), or by the "
          "`server` that is named.",
          "{name: db.internal, server: \"127.0.0.1:53\"}"}),
     read_dns},
    {may_refer({"exec", "command", "", "The command exits with 0; what it leaves running is killed.",
                "[pg_isready, -q]"}),
     read_exec},
    {{"log", "log_probe", "", "A line of the service's output matches.", "\"listening on\""}, read_log},
    {may_refer({"file", "path", "", "The file exists; watched, not polled.", "run/ready"}), read_text},
    {{"cluster", "text", "",
      "The service that is published under this name is ready on `require` of the `hosts`, according to "
      "etcd; for an external service of a stack with `cluster`.",
      "kafka"},
     read_cluster},
    {{"any", "probe_list", "", "One of these probes is enough; tuning beside it holds for each of them.",
      "[{port: 8080}, {file: run/ready}]"},
     [](Decoder& d, const Entry& e, ProbeDraft& out) {
       ++out.kinds;
       d.error("bad-value", *e.key, "`any` cannot stand inside another list of probes", "write one list");
     }},
    {{"hosts", "texts", "whoever publishes it",
      "`cluster`: the hosts that count, by the names they have there.", "[a, b, c]"},
     read_hosts},
    {{"require", "quorum", "all of `hosts`; else 1",
      "`cluster`: on how many hosts it must be ready: `all`, `any` or a number.", "2"},
     read_require},
    {{"confirm", "probe_or_word", "nothing",
      "`cluster`: a probe from outside (`tcp`, `http`, …) that must be true of a host before it counts; "
      "`${address}` is what that host has published as `address`.",
      "{tcp: \"${address}\"}"},
     read_confirm},
    {{"dialect", "dialect", "s6", "`fd`: what counts as ready: a newline (`s6`) or any byte (`dinit`).",
      "dinit"},
     read_dialect},
    {{"owner", "owner", "service",
      "`port`, `unix`, and what connects: who may listen there. `service`: on this host a process of the "
      "service, or (`tcp`, `http`, …) one that was started after it; `any`: whoever does.",
      "any"},
     read_owner},
    {{"method", "text", "GET", "`http`: the method.", "HEAD"}, read_method},
    {may_refer(or_nothing(
         {"headers", "pairs", "none", "`http`: request headers.", "{Authorization: \"Bearer ${TOKEN:-}\"}"})),
     read_headers},
    {{"status", "status", "200-399", "`http`: the statuses that count as success.", "200-204"}, read_status},
    {{"body", "regex", "any",
      "`http`: a regular expression that must occur in the body, of 1 MiB at most; the more steps it has, "
      "the "
      "less of that is looked at.",
      "ok"},
     read_body},
    {{"json", "json", "any", "`http`: what must stand at a place of a JSON answer.",
      "{pointer: /status, equals: ok}"},
     read_json},
    {{"tls", "tls", "`https`: verified; else none",
      "What speaks over a connection: `true` for TLS, or how it is to be done.", "{ca: ca.pem}"},
     read_tls},
    {may_refer({"send", "text", "nothing", "`tcp`: what is said once the connection is accepted.",
                "\"PING\\r\\n\""}),
     read_send},
    {may_refer({"expect", "regex", "nothing",
                "`tcp`: a regular expression that must occur in the first 16 KiB of what is answered.",
                "PONG"}),
     read_expect},
    {may_refer(
         {"query", "text", "none",
          "`postgres`, `mysql`: a query that must succeed, whatever it answers, asked as the user of the "
          "connection "
          "string. Needs libpq or libmariadb on this host.",
          "select 1"}),
     read_query},
    {{"exists", "boolean", "true", "`file`: `false` waits until there is no such file.", "false"},
     read_exists},
    {{"socket", "boolean", "false", "`file`: it must be a socket.", "true"}, read_socket},
    {{"contains", "regex", "anything",
      "`file`: a regular expression that must occur in its beginning: the first 300 KiB for one of 20 steps, "
      "6 "
      "KiB for one of 1000, the most there may be.",
      "done"},
     read_contains},
    {in_place(
         {"on_failure", "on_failure", "restart",
          "`live`: what a failure does: `restart` the service, make it `unready` until it succeeds again, or "
          "`shutdown` the stack with exit code 69.",
          "unready"}),
     read_on_failure},
    {in_place(
         {"timeout", "duration", "`ready`: none; `live`: 2s",
          "`ready`: how long the start may take before it has failed. `live`: how long one attempt may take.",
          "60s"}),
     read_duration<&Probe::timeout>},
    {in_place({"initial_delay", "duration", "0s",
               "Wait this long before the first attempt, whatever the service says or does meanwhile.",
               "1s"}),
     read_initial_delay},
    {in_place({"period", "duration", "adaptive; `live`: 10s",
               "Time between attempts. Adaptive: an event of the service triggers one at once, else the next "
               "comes "
               "after 1/50 of the time since the start, at least 1 ms and at most 250 ms.",
               "10s"}),
     read_duration<&Probe::period>},
    {in_place({"attempt_timeout", "duration", "2s", "How long one attempt may take.", "2s"}),
     read_duration<&Probe::attempt_timeout>},
    {in_place({"success_threshold", "integer", "1", "How many successes in a row count.", "1", fits_all, "1",
               "1000000"}),
     read_threshold<&Probe::success_threshold>},
    {in_place({"failure_threshold", "integer", "1; `live`: 3", "How many failures in a row count.", "3",
               fits_all, "1", "1000000"}),
     read_threshold<&Probe::failure_threshold>},
    {in_place({"recheck", "recheck", "off; external: 10s",
               "Keep looking after the bell has rung; a failure makes the service `unready`, it never "
               "restarts it. "
               "`true` means every `period`.",
               "10s"}),
     read_recheck},
}};

}  // namespace

Fields<ProbeDraft> probe_fields() { return probe_table; }
Fields<ProbeDraft> log_probe_fields() { return log_table; }
Fields<ProbeDraft> dns_fields() { return dns_table; }

}  // namespace belfry::config
