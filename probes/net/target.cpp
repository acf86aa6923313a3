#include "probes/net/target.hpp"

#include <algorithm>
#include <optional>

#include "config/document/confidential.hpp"
#include "config/model/address.hpp"

namespace belfry::probes {

namespace {

Error no_target(std::string_view text, const std::string& why) {
  return Error(Error::Kind::invalid, "cannot probe " + config::masked(text) + ": " + why);
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Empty: a `%` without two hexadecimal digits behind it, or a NUL.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = digit(text[i + 1]);
    const int low = digit(text[i + 2]);
    if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

bool has_port(std::string_view authority) {
  return authority.find(':', authority.starts_with('[') ? authority.find(']') : 0) != std::string_view::npos;
}

// Of `user:password@`, which is cut off `authority`.
bool take_user(std::string_view& authority, Url& url) {
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return true;
  const std::string_view who = authority.substr(0, at);
  authority.remove_prefix(at + 1);
  const std::size_t colon = std::min(who.find(':'), who.size());
  const auto user = decoded(who.substr(0, colon));
  const auto password = decoded(who.substr(std::min(colon + 1, who.size())));
  if (!user || !password) return false;
  url.user = *user;
  url.password = *password;
  return true;
}

}  // namespace

std::string Target::text() const {
  if (!socket_path.empty()) return socket_path;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

Result<Target> parse_host_port(std::string_view text) {
  const auto parsed = config::parse_host_port(text);
  if (!parsed) return std::unexpected(no_target(text, "it is not host:port"));
  return Target{.host = parsed->host, .port = parsed->port};
}

Result<Target> parse_host_port(std::string_view text, std::uint16_t default_port) {
  if (has_port(text)) return parse_host_port(text);
  auto target = parse_host_port(std::string(text) + ":1");
  if (target) target->port = default_port;
  return target;
}

Result<Url> parse_url(std::string_view text, std::uint16_t default_port) {
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::unexpected(no_target(text, "it is not a URL"));
  url.scheme = config::with_lower_scheme(text).substr(0, colon);
  const std::string_view rest = text.substr(colon + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, end);
  url.path = (end < rest.size() && rest[end] == '/' ? "" : "/") + std::string(rest.substr(end));
  if (!take_user(authority, url)) return std::unexpected(no_target(text, "a `%` in it encodes nothing"));
  if (url.scheme.ends_with("+unix")) {
    const auto path = decoded(authority);
    if (!path || path->empty() || (path->front() != '/' && path->front() != '@'))
      return std::unexpected(
          no_target(text, "its host is not the path of a socket, such as %2Frun%2Fapp.sock"));
    url.target.socket_path = *path;
    return url;
  }
  auto target = parse_host_port(authority, default_port);
  if (!target || (!authority.starts_with('[') && authority.contains('%')))
    return std::unexpected(no_target(text, "it has no good host"));
  url.target = std::move(*target);
  // In a URL the zone of an address stands behind "%25" (RFC 6874).
  if (url.target.host.contains(':'))
    if (const auto zone = url.target.host.find("%25"); zone != std::string::npos)
      url.target.host.erase(zone + 1, 2);
  return url;
}

}  // namespace belfry::probes
