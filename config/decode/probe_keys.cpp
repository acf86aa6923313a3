// The keys of a probe: what each kind takes, its options, and tuning.
#include <algorithm>
#include <array>
#include <charconv>

#include "config/decode/decode.hpp"
#include "config/decode/probe_kinds.hpp"
#include "config/model/address.hpp"
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
  if (number->is_mapping()) {
    if (number->size != 1 ||
        (number->entries()[0].key->text() != "udp" && number->entries()[0].key->text() != "tcp"))
      return decoder.mismatch(*number, "a port, `{tcp: N}` or `{udp: N}`");
    out.probe.udp = number->entries()[0].key->text() == "udp";
    number = number->entries()[0].value;
  }
  if (auto port = decoder.port(*number)) out.probe.port = *port;
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
  if (target.empty()) return;
  const std::string address = out.probe.kind == Kind::grpc ? target.substr(0, target.find('/')) : target;
  if (const auto parsed = parse_host_port(address); !parsed) decoder.malformed(*entry.value, parsed.error());
}

void read_redis(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  read_text(decoder, entry, out);
  out.probe.target = with_lower_scheme(out.probe.target);
  const std::string& target = out.probe.target;
  const bool url = target.starts_with("redis://") || target.starts_with("rediss://") ||
                   target.starts_with("unix:") || target.starts_with("/");
  if (target.empty() || url) return;
  if (const auto parsed = parse_host_port(target); !parsed) decoder.malformed(*entry.value, parsed.error());
}

void read_url(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  read_text(decoder, entry, out);
  if (out.probe.target.empty()) return;
  out.probe.target = with_lower_scheme(out.probe.target);
  if (const auto good = check_url(out.probe.target); !good) decoder.malformed(*entry.value, good.error());
}

// Compiled for its syntax; length bounds what a pattern may cost.
void check_regex(Decoder& decoder, const Node& node, const std::string& pattern) {
  if (pattern.size() > 2000)
    return decoder.error("bad-regex", node, "this regular expression is longer than 2000 characters",
                         "match a shorter part of the line");
  if (const auto compiled = Pattern::compile(pattern); !compiled)
    decoder.error("bad-regex", node,
                  "`" + pattern + "` is not a regular expression" +
                      (decoder.from_variables(node) ? "" : ": " + compiled.error()),
                  "the syntax is Perl's, without look-around and back references; write `\\\\` before a "
                  "special character to mean itself");
}

void read_log(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  read_text(decoder, entry, out);
  if (!out.probe.target.empty()) check_regex(decoder, *entry.value, out.probe.target);
}

void read_exec(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  take_kind(entry, out);
  out.probe.command = decoder.command(*entry.value);
}

// `200`, or `200-399`.
void read_one_status(Decoder& decoder, const Node& node, ProbeDraft& out) {
  const auto text = decoder.text(node);
  if (!text) return;
  unsigned low = 0, high = 0;
  const auto dash = text->find('-');
  const std::string from = text->substr(0, dash),
                    to = dash == std::string::npos ? from : text->substr(dash + 1);
  const auto parse = [](const std::string& digits, unsigned& value) {
    return digits.size() == 3 &&
           std::from_chars(digits.data(), digits.data() + 3, value).ptr == digits.data() + 3;
  };
  if (parse(from, low) && parse(to, high) && low >= 100 && low <= high && high <= 599)
    out.http.statuses.emplace_back(static_cast<std::uint16_t>(low), static_cast<std::uint16_t>(high));
  else
    decoder.error("bad-value", node, "`" + *text + "` is not a status",
                  "write 200, 200-399, or a list: [200, 204]");
}

void read_status(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  out.http_written = true;
  if (!entry.value->is_sequence()) return read_one_status(decoder, *entry.value, out);
  for (const Node* item : entry.value->items()) read_one_status(decoder, *item, out);
}

void read_headers(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  out.http_written = true;
  if (!entry.value->is_mapping())
    return decoder.mismatch(*entry.value, "a mapping of header names to values");
  out.http.headers = decoder.pairs(*entry.value, "`headers`");
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

void read_json(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  out.http_written = true;
  decoder.mapping(*entry.value, "`json`", json_fields(), out.http.json.emplace());
}

constexpr std::array<Field<ProbeDraft>, 32> probe_table{{
    {{"listen", "flag", "",
      "Socket activation: belfry itself has bound the sockets of `listen:` and passes them on; true before "
      "the service even runs.",
      "true"},
     read_flag},
    {{"port", "probe_port", "",
      "A process of this service listens on the port. The kernel tells; nothing is polled.", "8080"},
     read_port},
    {{"unix", "path", "", "A process of this service listens on the unix socket.", "run/app.sock"},
     read_text},
    {{"notify", "flag", "", "The service says READY=1 on its notify socket (sd_notify).", "true"}, read_flag},
    {{"fd", "integer", "",
      "The service writes a newline (`dialect: s6`) or any byte (`dialect: dinit`) to this descriptor; 3 or "
      "more.",
      "3", fits_all, "3", "1023"},
     read_fd},
    {{"tcp", "address", "", "A connection to host:port is accepted.", "127.0.0.1:5432"}, read_address},
    {{"http", "url", "",
      "A request is answered with a status from 200 to 399, or as `status` and `body` ask.",
      "http://127.0.0.1:8080/health"},
     read_url},
    {not_yet({"grpc", "text", "", "grpc.health.v1 answers SERVING: `host:port` or `host:port/service`.",
              "127.0.0.1:9000"},
             "`exec: [grpc_health_probe, …]`"),
     read_address},
    {not_yet({"postgres", "text", "",
              "The server takes queries (not recovering, not starting up); a libpq connection string.",
              "\"host=127.0.0.1 dbname=shop\""},
             "`exec: [pg_isready, …]` or `notify`"),
     read_text},
    {not_yet({"mysql", "text", "", "The server takes queries; a URL.", "mysql://127.0.0.1:3306/shop"},
             "`exec: [mysqladmin, ping, …]` or `notify`"),
     read_text},
    {not_yet({"redis", "text", "",
              "PING is answered with PONG (not loading, not asking for a password); host:port or a URL.",
              "127.0.0.1:6379"},
             "`exec: [redis-cli, ping]` or `notify`"),
     read_redis},
    {{"exec", "command", "", "The command exits with 0; what it leaves running is killed.",
      "[pg_isready, -q]"},
     read_exec},
    {{"log", "regex", "", "A line of the service's output matches.", "\"listening on\""}, read_log},
    {{"file", "path", "", "The file exists; watched, not polled.", "run/ready"}, read_text},
    {not_yet({"cluster", "text", "", "The service of that name is ready on `hosts` hosts, according to etcd.",
              "shop-db"}),
     read_text},
    {{"any", "probe_list", "", "One of these probes is enough; tuning beside it holds for each of them.",
      "[{port: 8080}, {file: run/ready}]"},
     [](Decoder& d, const Entry& e, ProbeDraft& out) {
       ++out.kinds;
       d.error("bad-value", *e.key, "`any` cannot stand inside another list of probes", "write one list");
     }},
    {not_yet({"hosts", "integer", "1", "`cluster`: how many hosts.", "2", fits_all, "1", "100000"}),
     [](Decoder& d, const Entry& e, ProbeDraft& out) {
       if (auto value = d.integer(*e.value, 1, 100'000)) out.probe.hosts = static_cast<std::uint32_t>(*value);
     }},
    {{"dialect", "dialect", "s6", "`fd`: what counts as ready: a newline (`s6`) or any byte (`dinit`).",
      "dinit"},
     read_dialect},
    {{"owner", "owner", "service",
      "`port`, `unix`, and what connects: who may listen there. `service`: on this host a process of the "
      "service, or (`tcp`, `http`, …) one that was started after it; `any`: whoever does.",
      "any"},
     read_owner},
    {{"method", "text", "GET", "`http`: the method.", "HEAD"},
     [](Decoder& d, const Entry& e, ProbeDraft& out) {
       out.http_written = true;
       auto value = d.text(*e.value);
       if (!value) return;
       const bool good =
           !value->empty() && std::ranges::all_of(*value, [](char c) { return c >= 'A' && c <= 'Z'; });
       if (!good)
         return d.error("bad-value", *e.value, "`" + *value + "` is not an HTTP method",
                        "write GET, HEAD, POST, …");
       out.http.method = std::move(*value);
     }},
    {or_nothing(
         {"headers", "pairs", "none", "`http`: request headers.", "{Authorization: \"Bearer ${TOKEN:-}\"}"}),
     read_headers},
    {{"status", "status", "200-399", "`http`: the statuses that count as success.", "200-204"}, read_status},
    {{"body", "regex", "any", "`http`: a regular expression the body must match.", "ok"},
     [](Decoder& d, const Entry& e, ProbeDraft& out) {
       out.http_written = true;
       auto value = d.free_text(*e.value);
       if (!value) return;
       check_regex(d, *e.value, *value);
       out.http.body = std::move(*value);
     }},
    {{"json", "json", "any", "`http`: what must stand at a place of a JSON answer.",
      "{pointer: /status, equals: ok}"},
     read_json},
    {not_yet({"tls", "tls", "verified", "`http`: how a https certificate is checked.", "{verify: false}"},
             "`exec: [curl, -fsS, …]`"),
     [](Decoder& d, const Entry& e, ProbeDraft& out) {
       out.http_written = true;
       d.mapping(*e.value, "`tls`", tls_fields(), out.http);
     }},
    {{"timeout", "duration", "`ready`: none; `live`: 2s",
      "`ready`: how long the start may take before it has failed. `live`: how long one attempt may take.",
      "60s"},
     read_duration<&Probe::timeout>},
    {{"initial_delay", "duration", "0s",
      "Wait this long before the first attempt, whatever the service says or does meanwhile.", "1s"},
     read_initial_delay},
    {{"period", "duration", "adaptive; `live`: 10s",
      "Time between attempts. Adaptive: an event of the service triggers one at once, else the next comes "
      "after 1/50 of the time since the start, at least 1 ms and at most 250 ms.",
      "10s"},
     read_duration<&Probe::period>},
    {{"attempt_timeout", "duration", "2s", "How long one attempt may take.", "2s"},
     read_duration<&Probe::attempt_timeout>},
    {{"success_threshold", "integer", "1", "How many successes in a row count.", "1", fits_all, "1",
      "1000000"},
     read_threshold<&Probe::success_threshold>},
    {{"failure_threshold", "integer", "1; `live`: 3", "How many failures in a row count.", "3", fits_all, "1",
      "1000000"},
     read_threshold<&Probe::failure_threshold>},
    {{"recheck", "recheck", "off; external: 10s",
      "Keep looking after the bell has rung; a failure makes the service `unready`, it never restarts it. "
      "`true` means every `period`.",
      "10s"},
     read_recheck},
}};

constexpr std::array<Field<HttpExpectation>, 1> tls_table{{
    {not_yet({"verify", "boolean", "true",
              "Whether the certificate is checked against the system's authorities.", "false"}),
     [](Decoder& d, const Entry& e, HttpExpectation& out) {
       if (auto value = d.boolean(*e.value)) out.tls_verify = *value;
     }},
}};

}  // namespace

Fields<ProbeDraft> probe_fields() { return probe_table; }
Fields<HttpExpectation> tls_fields() { return tls_table; }

}  // namespace belfry::config
