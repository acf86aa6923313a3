// What some kinds of probes take beside their target.
#include <algorithm>
#include <array>
#include <charconv>

#include "config/decode/decode.hpp"
#include "config/decode/probe_kinds.hpp"
#include "config/model/http_field.hpp"
#include "config/model/output_reference.hpp"
#include "config/model/pattern.hpp"

namespace belfry::config {

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

namespace {

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

template <class T>
T& made(std::unique_ptr<T>& part) {
  if (!part) part = std::make_unique<T>();
  return *part;
}

std::optional<std::string> read_regex(Decoder& decoder, const Node& node) {
  auto value = decoder.free_text(node);
  if (value) check_regex(decoder, node, *value);
  return value;
}

constexpr std::array<Field<TlsOptions>, 5> tls_table{{
    {{"verify", "boolean", "true", "Whether the certificate is checked.", "false"},
     [](Decoder& d, const Entry& e, TlsOptions& out) {
       if (auto value = d.boolean(*e.value)) out.verify = *value;
     }},
    {{"ca", "path", "those of the host", "A file with the authorities that may have signed it (PEM).",
      "ca.pem"},
     [](Decoder& d, const Entry& e, TlsOptions& out) {
       if (auto value = d.needed_text(*e.value)) out.ca = std::move(*value);
     }},
    {{"cert", "path", "none", "belfry's own certificate, for servers that ask for one (PEM).", "belfry.pem"},
     [](Decoder& d, const Entry& e, TlsOptions& out) {
       if (auto value = d.needed_text(*e.value)) out.cert = std::move(*value);
     }},
    {{"key", "path", "in `cert`", "The private key of `cert` (PEM).", "belfry.key"},
     [](Decoder& d, const Entry& e, TlsOptions& out) {
       if (auto value = d.needed_text(*e.value)) out.key = std::move(*value);
     }},
    {{"server_name", "text", "the target's host", "Whom the certificate must be for, and what SNI asks for.",
      "db.internal"},
     [](Decoder& d, const Entry& e, TlsOptions& out) {
       if (auto value = d.needed_text(*e.value)) out.server_name = std::move(*value);
     }},
}};

}  // namespace

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
  for (const auto& [name, value] : out.http.headers)
    if (const auto good = check_http_field(name, with_references_written_out(value)); !good)
      decoder.malformed(*entry.value->find(name), good.error());
}

void read_method(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  out.http_written = true;
  auto value = decoder.text(*entry.value);
  if (!value) return;
  const bool good =
      !value->empty() && std::ranges::all_of(*value, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!good)
    return decoder.error("bad-value", *entry.value, "`" + *value + "` is not an HTTP method",
                         "write GET, HEAD, POST, …");
  out.http.method = std::move(*value);
}

void read_body(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  out.http_written = true;
  if (auto value = read_regex(decoder, *entry.value)) out.http.body = std::move(*value);
}

void read_json(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  out.http_written = true;
  decoder.mapping(*entry.value, "`json`", json_fields(), out.http.json.emplace());
}

// `tls: true`, or how it is to be done.
void read_tls(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  if (entry.value->is_mapping()) {
    TlsOptions& tls = made(out.probe.tls);
    if (!decoder.mapping(*entry.value, "`tls`", tls_fields(), tls)) return;
    if (!tls.key.empty() && tls.cert.empty())
      decoder.error("missing-key", *entry.value, "`tls` has a `key` and no `cert` that it belongs to",
                    "add `cert: …`");
    return;
  }
  if (const auto on = decoder.boolean(*entry.value); on && *on) made(out.probe.tls);
}

void read_send(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  if (auto value = decoder.free_text(*entry.value)) made(out.probe.tcp).send = std::move(*value);
}

void read_expect(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  if (auto value = read_regex(decoder, *entry.value)) made(out.probe.tcp).expect = std::move(*value);
}

void read_query(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  if (auto value = decoder.needed_text(*entry.value)) out.probe.query = std::move(*value);
}

void read_exists(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  if (auto value = decoder.boolean(*entry.value)) made(out.probe.file).exists = *value;
}

void read_socket(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  if (auto value = decoder.boolean(*entry.value)) made(out.probe.file).socket = *value;
}

void read_contains(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  if (auto value = read_regex(decoder, *entry.value)) made(out.probe.file).contains = std::move(*value);
}

void read_on_failure(Decoder& decoder, const Entry& entry, ProbeDraft& out) {
  constexpr std::array<std::pair<std::string_view, OnFailure>, 3> known{
      {{"restart", OnFailure::restart}, {"unready", OnFailure::unready}, {"shutdown", OnFailure::shutdown}}};
  if (auto value = decoder.choice<OnFailure>(*entry.value, known)) out.probe.on_failure = *value;
}

Fields<TlsOptions> tls_fields() { return tls_table; }

}  // namespace belfry::config
