#include "waiter/target.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "config/document/confidential.hpp"
#include "config/model/address.hpp"
#include "config/model/name.hpp"
#include "probes/net/target.hpp"

namespace belfry::waiter {
namespace {

using Kind = config::Probe::Kind;
using config::Probe;

Error cannot(std::string_view text, const std::string& why) {
  return Error(Error::Kind::invalid, "cannot wait for " + config::masked(text) + ": " + why);
}

struct Scheme;
using Reader = Result<void> (*)(std::string_view text, const Scheme& scheme, Probe& probe);

struct Scheme {
  std::string_view name;
  Kind kind;
  Reader read;
  std::uint16_t port = 0;  // where the URL has none; 0: it needs one
  bool tls = false;
};

Result<probes::Url> url_of(std::string_view text, const Scheme& scheme) {
  auto url = probes::parse_url(text, scheme.port);
  if (!url) {
    const std::string why = url.error().text();
    const auto colon = why.rfind(": ");
    return std::unexpected(cannot(text, colon == std::string::npos ? why : why.substr(colon + 2)));
  }
  if (url->target.socket_path.empty() && (url->target.host.empty() || url->target.port == 0))
    return std::unexpected(cannot(text, url->target.host.empty() ? "it names no host" : "it names no port"));
  return url;
}

// The probe itself reads the URL: it may have a user, a database, a path.
Result<void> whole_url(std::string_view text, const Scheme& scheme, Probe& probe) {
  if (auto url = url_of(text, scheme); !url) return std::unexpected(url.error());
  probe.target = config::with_lower_scheme(text);
  return {};
}

// libpq and its like know hosts of their own: a list of them, a socket, none at all.
Result<void> connection_string(std::string_view text, const Scheme&, Probe& probe) {
  probe.target = config::with_lower_scheme(text);
  return {};
}

Result<void> address(std::string_view text, const Scheme& scheme, Probe& probe) {
  auto url = url_of(text, scheme);
  if (!url) return std::unexpected(url.error());
  if (url->path != "/" && scheme.kind == Kind::tcp)
    return std::unexpected(cannot(text, "it has a path, and a connection has none; http:// asks for one"));
  probe.target = url->target.text();
  return {};
}

Result<void> grpc_service(std::string_view text, const Scheme& scheme, Probe& probe) {
  auto url = url_of(text, scheme);
  if (!url) return std::unexpected(url.error());
  probe.target = url->target.text() + (url->path == "/" ? "" : url->path);
  return {};
}

// `dns:name`, `dns:///name`, `dns://server[:port]/name` (RFC 4501).
Result<void> name_to_find(std::string_view text, const Scheme& scheme, Probe& probe) {
  std::string_view rest = text.substr(text.find(':') + 1);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::string_view server = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(server.size() + 1, rest.size()));
    if (!server.empty()) {
      const auto found = probes::parse_host_port(server, scheme.port);
      if (!found) return std::unexpected(cannot(text, "its name server is not host:port"));
      *probe.server = found->text();
    }
  }
  if (rest.empty() || rest.find_first_of("/?: ") != std::string_view::npos)
    return std::unexpected(cannot(text, "write dns:NAME or dns://SERVER/NAME"));
  probe.target = rest;
  return {};
}

// `file:path`, `file:///path`, `file://localhost/path` (RFC 8089); `unix:` is written in the same ways.
Result<void> path(std::string_view text, const Scheme& scheme, Probe& probe) {
  std::string_view rest = text.substr(text.find(':') + 1);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::string_view host = rest.substr(0, std::min(rest.find('/'), rest.size()));
    if (!host.empty() && host != "localhost")
      return std::unexpected(cannot(text, "a path stands behind two slashes only with a third: " +
                                              std::string(scheme.name) + ":///" + std::string(rest)));
    rest.remove_prefix(host.size());
  }
  if (rest.empty() || rest.contains('\0')) return std::unexpected(cannot(text, "it names no path"));
  probe.target = rest;
  return {};
}

constexpr Scheme schemes[] = {
    {"tcp", Kind::tcp, address},
    {"tls", Kind::tcp, address, 443, true},
    {"http", Kind::http, whole_url, 80},
    {"https", Kind::http, whole_url, 443, true},
    {"http+unix", Kind::http, whole_url},
    {"https+unix", Kind::http, whole_url, 0, true},
    {"unix", Kind::unix_socket, path},
    {"file", Kind::file, path},
    {"dns", Kind::dns, name_to_find, 53},
    {"postgres", Kind::postgres, connection_string},
    {"postgresql", Kind::postgres, connection_string},
    {"mysql", Kind::mysql, whole_url, 3306},
    {"redis", Kind::redis, whole_url, 6379},
    {"rediss", Kind::redis, whole_url, 6379, true},
    {"amqp", Kind::amqp, address, 5672},
    {"amqps", Kind::amqp, address, 5671, true},
    {"memcached", Kind::memcached, address, 11211},
    {"grpc", Kind::grpc, grpc_service},
    {"grpcs", Kind::grpc, grpc_service, 443, true},
};

// What stands before the first colon, if it may be a scheme (RFC 3986, 3.1).
std::string scheme_name(std::string_view text) {
  const auto colon = std::min(text.find(':'), text.size());
  std::string name(text.substr(0, colon));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

std::string list_of_schemes() {
  std::string list;
  for (const Scheme& one : schemes) (list += list.empty() ? "" : ", ") += one.name;
  return list;
}

Error unknown(std::string_view text) {
  if (text.find_first_of(" \t\r\n") != std::string_view::npos)
    return cannot("`" + std::string(text) + "`", "there is a blank in it");
  if (text.contains("://")) return cannot(text, "its scheme is not one of " + list_of_schemes());
  if (text.starts_with('/') || text.starts_with('.'))
    return cannot(text, "write file:" + std::string(text) + ", or unix: for a socket");
  return cannot(text, "it is neither a service, nor host:port, nor a URL");
}

void apply(const ProbeOptions& options, const Scheme& scheme, Probe& probe) {
  if (options.http && scheme.kind == Kind::http)
    probe.http = std::make_unique<config::HttpExpectation>(*options.http);
  if (scheme.tls)
    probe.tls = std::make_unique<config::TlsOptions>(options.tls.value_or(config::TlsOptions()));
  if (!options.query.empty() && (scheme.kind == Kind::postgres || scheme.kind == Kind::mysql))
    *probe.query = options.query;
}

bool is_path(Kind kind) { return kind == Kind::file || kind == Kind::unix_socket; }

}  // namespace

bool is_service(std::string_view text) { return config::is_name(text); }

Result<Target> parse_target(std::string_view text, const std::string& directory,
                            const ProbeOptions& options) {
  if (text.empty()) return std::unexpected(Error(Error::Kind::invalid, "cannot wait for ``: it is empty"));
  const std::string name = scheme_name(text);
  const Scheme* const end = std::end(schemes);
  const Scheme* scheme = std::ranges::find(schemes, std::string_view(name), &Scheme::name);
  std::string written(text);
  const bool is_short = scheme != end && (is_path(scheme->kind) || scheme->kind == Kind::dns);
  // `host:port`, as most tools take it. A host may be called like a scheme; a URL has its slashes.
  if (!is_short && !text.contains("://")) {
    scheme = config::parse_host_port(text) ? &schemes[0] : end;
    written.insert(0, "tcp://");
  }
  if (scheme == end || (text.find_first_of(" \t\r\n") != std::string_view::npos && !is_short))
    return std::unexpected(unknown(text));
  Target target{.shown = config::masked(text), .probe = {}};
  target.probe.kind = scheme->kind;
  if (auto read = scheme->read(written, *scheme, target.probe); !read) return std::unexpected(read.error());
  const bool relative = target.probe.target.front() != '/' && target.probe.target.front() != '@';
  if (is_path(scheme->kind) && relative) target.probe.target = directory + "/" + target.probe.target;
  apply(options, *scheme, target.probe);
  return target;
}

}  // namespace belfry::waiter
