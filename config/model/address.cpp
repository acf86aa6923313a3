#include "config/model/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <span>

namespace belfry::config {
namespace {

std::unexpected<Malformed> bad(std::string_view text, std::string why, std::string help) {
  return std::unexpected(
      Malformed{"`" + std::string(text.substr(0, 200)) + "` " + std::move(why), std::move(help)});
}

// A name of labels (RFC 1123) or an IPv4 address; what no resolver will ever find is a mistake now.
bool can_be_host(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() > 253) return false;
  std::size_t label = 0;
  for (const char c : host) {
    if (c == '.' && label == 0) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > 63) return false;
  }
  const bool numeric = host.find_first_not_of("0123456789.") == std::string_view::npos;
  in_addr ignored{};
  return label > 0 && (!numeric || ::inet_aton(std::string(host).c_str(), &ignored) != 0);
}

bool is_ipv6(std::string_view host) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET6, std::string(host.substr(0, host.find('%'))).c_str(), &ignored) == 1;
}

// Whether two hexadecimal digits, and not the NUL, stand behind every `%`.
bool is_percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdefABCDEF";
  for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    const std::string_view code = text.substr(at + 1, 2);
    if (code.size() < 2 || code == "00" || code.find_first_not_of(digits) != std::string_view::npos)
      return false;
  }
  return true;
}

constexpr std::string_view slash = "%2F";

// The path of a socket stands where a host does, so its slashes are encoded.
std::unexpected<Malformed> no_socket(std::string_view text, std::string_view rest) {
  std::string path;
  for (const char c : rest.substr(0, rest.find_first_of("?#")))
    path += c == '/' ? std::string(slash) : std::string(1, c);
  const bool is_path = path.size() > slash.size() && path.starts_with(slash);
  return bad(text,
             "does not name a socket: the slashes of its path are written as %2F, and the path of the "
             "request follows",
             "write http+unix://" + (is_path ? path : "%2Frun%2Fapp.sock") + "/health");
}

std::expected<void, Malformed> check_socket_of(std::string_view text, std::string_view socket,
                                               std::string_view rest) {
  constexpr std::size_t longest = 107;  // sockaddr_un::sun_path with its end (unix(7))
  if (!is_percent_encoded(socket))
    return bad(text, "has a `%` that encodes nothing", "write % as %25, and / as %2F");
  const std::size_t length = socket.size() - 2 * static_cast<std::size_t>(std::ranges::count(socket, '%'));
  const std::string begin(socket.substr(0, slash.size()));
  if (begin != "%2F" && begin != "%2f" && begin != "%40") return no_socket(text, rest);
  if (length > longest)
    return bad(text, "names a socket whose path is longer than 107 bytes", "use a shorter path");
  return {};
}

}  // namespace

std::expected<std::uint16_t, Malformed> parse_port(std::string_view text) {
  std::uint32_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || text.size() > 5)
      return bad(text, "is not a port", "a port is a number from 1 to 65535");
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (text.empty() || value == 0 || value > 65535)
    return bad(text, "is not a port", "a port is a number from 1 to 65535");
  if (text.front() == '0')
    return bad(text, "begins with 0, which other YAML readers take for octal", "write it without the 0");
  return static_cast<std::uint16_t>(value);
}

std::expected<HostPort, Malformed> parse_host_port(std::string_view text) {
  constexpr std::string_view form = "write host:port, such as 127.0.0.1:8080 or [::1]:8080";
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad(text, "has no port", std::string(form));
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.contains(':')) {
    return bad(text, "is ambiguous: an IPv6 address needs brackets",
               "write [" + std::string(host) + "]:" + std::string(text.substr(colon + 1)));
  }
  if (host.empty())
    return bad(text, "has no host",
               "write 127.0.0.1" + std::string(text.substr(colon)) + ", or 0.0.0.0 for every interface");
  if (host.find_first_of(" \t/@") != std::string_view::npos)
    return bad(text, "is not an address", std::string(form));
  if (bracketed ? !is_ipv6(host) : host != "*" && !can_be_host(host))
    return bad(text, bracketed ? "is not an IPv6 address" : "can be neither a host's name nor its address",
               std::string(form));
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return std::unexpected(port.error());
  return HostPort{std::string(host), *port};
}

std::string with_lower_scheme(std::string_view url) {
  std::string out(url);
  const auto colon = url.find("://");
  if (colon != std::string_view::npos)
    for (char& c : std::span(out).first(colon))
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::expected<void, Malformed> check_url(std::string_view text) {
  const std::string lower = with_lower_scheme(text);
  const std::string scheme = lower.substr(0, lower.find("://"));
  constexpr std::array<std::string_view, 4> known{"http", "https", "http+unix", "https+unix"};
  if (scheme.size() == lower.size() || std::ranges::find(known, scheme) == known.end())
    return bad(text, "is not an http or https URL", "write http://127.0.0.1:8080/health");
  const std::string_view rest = text.substr(scheme.size() + 3);
  std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const bool is_unix = scheme.ends_with("+unix");
  if (authority.contains('@'))
    return bad(text, "names a user, which the probe would not log in as",
               "write the URL without it, and headers: {Authorization: \"Basic ${CREDENTIALS}\"}");
  if (authority.empty() && is_unix) return no_socket(text, rest);
  if (authority.empty()) return bad(text, "has no host", "write http://127.0.0.1:8080/health");
  const bool has_port = authority.starts_with('[') ? !authority.ends_with(']') : authority.contains(':');
  if (text.find_first_of(" \t\n\r") != std::string_view::npos)
    return bad(text, "contains a blank", "write it as %20");
  if (text.contains('#'))
    return bad(text, "has a `#` part, which is never sent", "remove it, or write it as %23");
  if (std::ranges::any_of(text, [](char c) { return c < 0x21 || c > 0x7e; }))
    return bad(text, "contains a character that no URL may have", "write it percent-encoded");
  if (is_unix) return check_socket_of(text, authority, rest);
  const auto parsed = parse_host_port(has_port ? std::string(authority) : std::string(authority) + ":80");
  if (!parsed) return std::unexpected(parsed.error());
  return {};
}

std::expected<void, Malformed> check_server(std::string_view text, std::string_view scheme) {
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) {
    const auto parsed = parse_host_port(text);
    if (!parsed) return std::unexpected(parsed.error());
    return {};
  }
  const std::string plain(scheme);
  const std::string given = with_lower_scheme(text).substr(0, scheme_end);
  const std::string form = "write host:port, or " + plain +
                           "://HOST:PORT; a user and a password, where it asks for them, stand before the "
                           "host as in any URL, with a "
                           "`/`, `@` or `%` in them written %2F, %40, %25";
  if (given != plain && given != plain + "s")
    return std::unexpected(
        Malformed{"`" + given.substr(0, 40) + "://…` is no URL of this kind of server", form});
  std::string_view authority = text.substr(scheme_end + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  const auto host_at = authority.rfind('@') + 1;  // npos + 1 is 0
  if (!is_percent_encoded(authority.substr(0, host_at)))
    return std::unexpected(Malformed{"a `%` in the `" + given + "://` URL encodes nothing", form});
  authority.remove_prefix(host_at);
  const bool has_port = authority.starts_with('[') ? !authority.ends_with(']') : authority.contains(':');
  if (!parse_host_port(has_port ? std::string(authority) : std::string(authority) + ":1"))
    return std::unexpected(Malformed{"the `" + given + "://` URL has no good host and port", form});
  return {};
}

}  // namespace belfry::config
