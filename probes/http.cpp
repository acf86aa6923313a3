// `http: URL`: true when the answer is as expected (2xx or 3xx unless the file says otherwise).
#include <algorithm>

#include "config/document/confidential.hpp"
#include "config/model/http_field.hpp"
#include "probes/kinds.hpp"
#include "probes/protocols/http_exchange.hpp"

namespace belfry::probes {

namespace {

bool is_tls(std::string_view scheme) { return scheme == "https" || scheme == "https+unix"; }
bool is_http(std::string_view scheme) { return is_tls(scheme) || scheme == "http" || scheme == "http+unix"; }
std::uint16_t default_port(std::string_view scheme) { return is_tls(scheme) ? 443 : 80; }

Error no_probe(const config::Probe& spec, const std::string& why) {
  return Error(Error::Kind::invalid, "cannot probe " + config::masked(spec.target) + ": " + why);
}

Result<HttpExpected> expected_by(const config::Probe& spec) {
  HttpExpected expected;
  if (!spec.http) return expected;
  expected.statuses = spec.http->statuses;
  expected.json = spec.http->json;
  if (spec.http->body.empty()) return expected;
  auto body = config::Pattern::compile(spec.http->body);
  if (!body) return std::unexpected(no_probe(spec, "`body` is not a regular expression: " + body.error()));
  expected.body = std::move(*body);
  return expected;
}

// The field (RFC 9110, 7.2): without the port that goes without saying, and without an address's zone, which
// means something on this host only (RFC 6874, 1).
std::string host_field(const Url& url) {
  if (!url.target.socket_path.empty()) return "localhost";
  Target named = url.target;
  named.host.resize(std::min(named.host.find('%'), named.host.size()));
  std::string text = named.text();
  if (named.port == default_port(url.scheme)) text.resize(text.rfind(':'));
  return text;
}

Result<Url> url_of(const config::Probe& spec) {
  auto url = parse_url(spec.target);
  if (!url) return url;
  if (!is_http(url->scheme)) return std::unexpected(no_probe(spec, "it is not an http or https URL"));
  if (std::ranges::any_of(spec.target, [](char c) { return c < 0x21 || c > 0x7e; }))
    return std::unexpected(no_probe(
        spec, "there is a blank or another character in it that no URL may have: percent-encode it"));
  if (!url->user.empty() || !url->password.empty())
    return std::unexpected(no_probe(
        spec, "it names a user, which the probe would not log in as: send an Authorization header instead"));
  if (url->target.port == 0) url->target.port = default_port(url->scheme);
  return url;
}

// What stands in the file, its reader has looked at; outputs of other services have come into it since.
Result<void> check_headers(const config::Probe& spec) {
  if (!spec.http) return {};
  for (const auto& [name, value] : spec.http->headers)
    if (const auto good = config::check_http_field(name, value); !good)
      return std::unexpected(no_probe(spec, good.error().message));
  return {};
}

}  // namespace

Made make_http(NetMeans means, const config::Probe& spec, const ProbeContext& about) {
  auto url = url_of(spec);
  if (!url) return std::unexpected(url.error());
  if (auto good = check_headers(spec); !good) return std::unexpected(good.error());
  auto expected = expected_by(spec);
  if (!expected) return std::unexpected(expected.error());
  HttpRequest request{.host = host_field(*url),
                      .path = url->path,
                      .keep = is_asked_often(about),
                      .plain = !is_tls(url->scheme)};
  if (spec.http) {
    request.method = spec.http->method;
    request.headers = spec.http->headers;
  }
  LocalOwner owner(means.questions, spec, about, url->target.port);
  Conversation conversation{.target = url->target,
                            .what = "cannot get " + config::masked(url->path) + " from " + url->target.text(),
                            .tls = is_tls(url->scheme) ? TlsStart::first : TlsStart::never,
                            .tls_options = spec.tls ? *spec.tls : config::TlsOptions(),
                            .alpn = "\x08http/1.1",
                            .dialogue = std::make_unique<HttpExchange>(request, std::move(*expected)),
                            .keep = request.keep};
  return std::make_unique<DialogueProbe>(means, std::move(conversation), std::move(owner));
}

}  // namespace belfry::probes
