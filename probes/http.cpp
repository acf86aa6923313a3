// `http: URL`: true when the answer is as expected (2xx or 3xx unless the file says otherwise).
#include "config/document/confidential.hpp"
#include "probes/kinds.hpp"
#include "probes/protocols/http_exchange.hpp"

namespace belfry::probes {

namespace {

std::uint16_t default_port(std::string_view url) { return url.starts_with("https") ? 443 : 80; }

Result<HttpAnswer> expected_by(const config::Probe& spec) {
  HttpAnswer expected;
  if (!spec.http) return expected;
  expected.statuses = spec.http->statuses;
  expected.json = spec.http->json;
  if (spec.http->body.empty()) return expected;
  auto body = config::Pattern::compile(spec.http->body);
  if (!body)
    return std::unexpected(
        Error(Error::Kind::invalid, "cannot probe " + config::masked(spec.target) +
                                        ": `body` is not a regular expression: " + body.error()));
  expected.body = std::move(*body);
  return expected;
}

}  // namespace

Made make_http(NetMeans means, const config::Probe& spec, const ProbeContext& about) {
  auto url = parse_url(spec.target, default_port(spec.target));
  if (!url) return std::unexpected(url.error());
  if (!url->scheme.starts_with("http"))
    return std::unexpected(Error(Error::Kind::invalid, "cannot probe " + config::masked(spec.target) +
                                                           ": it is not an http or https URL"));
  auto expected = expected_by(spec);
  if (!expected) return std::unexpected(expected.error());
  HttpRequest request{.host = url->target.socket_path.empty() ? url->target.text() : "localhost",
                      .path = url->path};
  if (spec.http) {
    request.method = spec.http->method;
    request.headers = spec.http->headers;
  }
  LocalOwner owner(means.questions, spec, about, url->target.port);
  Conversation conversation{.target = url->target,
                            .what = "cannot get " + config::masked(url->path) + " from " + url->target.text(),
                            .tls = url->scheme.starts_with("https") ? TlsStart::first : TlsStart::never,
                            .tls_options = spec.tls ? *spec.tls : config::TlsOptions(),
                            .dialogue = std::make_unique<HttpExchange>(request, std::move(*expected))};
  return std::make_unique<DialogueProbe>(means, std::move(conversation), std::move(owner));
}

}  // namespace belfry::probes
