// MySQL's and MariaDB's URLs, as their shells and drivers read them.
#include <algorithm>
#include <array>

#include "config/model/address.hpp"
#include "config/model/database_address.hpp"

namespace belfry::config {
namespace {

using detail::bad;

constexpr std::array<std::pair<std::string_view, SslMode>, 5> ssl_modes{
    {{"disabled", SslMode::disable},
     {"preferred", SslMode::prefer},
     {"required", SslMode::require},
     {"verify_ca", SslMode::verify_ca},
     {"verify_identity", SslMode::verify_full}}};

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::expected<DatabaseHost, Malformed> host_of(std::string name, const std::string& port) {
  DatabaseHost host{.name = std::move(name), .port = 3306};
  if (!port.empty()) {
    const auto number = parse_port(port);
    if (!number) return bad("the port of this database is not a port", number.error().help);
    host.port = *number;
  }
  if (auto good = detail::check_database_host(host.name); !good) return std::unexpected(good.error());
  return host;
}

// Absolute, or abstract; and more than its first character.
bool is_socket_path(std::string_view path) {
  return path.size() > 1 && (path.starts_with('/') || path.starts_with('@'));
}

std::expected<void, Malformed> take_parameter(std::string key, const std::string& value, bool may_be_secret,
                                              DatabaseAddress& out) {
  std::ranges::replace(key, '_', '-');
  key = lower(std::move(key));
  if (key == "socket") {
    if (!is_socket_path(value))
      return bad("`socket` of this URL is not an absolute path",
                 "write mysql:///?socket=/run/mysqld/mysqld.sock");
    out.hosts = {DatabaseHost{.socket_path = value}};
  } else if (key == "ssl-mode" || key == "sslmode") {
    const auto* const found =
        std::ranges::find(ssl_modes, lower(value), &std::pair<std::string_view, SslMode>::first);
    if (found == ssl_modes.end())
      return bad("`ssl-mode` of this URL is none of MySQL's",
                 "write DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY");
    out.ssl = found->second;
  } else if (key == "ssl-ca") {
    out.ca = value;
  } else if (key == "connect-timeout") {
    const auto seconds = detail::parse_seconds(value);
    if (!seconds) return std::unexpected(seconds.error());
    out.connect_timeout = *seconds;
  } else {
    return bad("a URL of MySQL has no " + detail::shown_key(key, may_be_secret) + " here",
               "the parameters are ssl-mode, ssl-ca, socket and connect-timeout");
  }
  return {};
}

std::expected<DatabaseAddress, Malformed> parse_url(std::string_view text) {
  auto url = detail::split_database_url(text);
  if (!url) return std::unexpected(url.error());
  DatabaseAddress out{.hosts = {},
                      .user = std::move(url->user),
                      .password = std::move(url->password),
                      .database = std::move(url->database)};
  for (std::size_t i = 0; i < url->hosts.size(); ++i) {
    auto host = host_of(std::move(url->hosts[i]), url->ports[i]);
    if (!host) return std::unexpected(host.error());
    out.hosts.push_back(std::move(*host));
  }
  const bool may_be_secret = detail::may_split_password(text);
  for (auto& [key, value] : url->parameters)
    if (auto good = take_parameter(std::move(key), value, may_be_secret, out); !good)
      return std::unexpected(good.error());
  if (!out.ca.empty() && out.ssl == SslMode::as_usual) out.ssl = SslMode::verify_ca;  // as MySQL's shell does
  if (out.hosts.empty())
    return bad("this URL does not say where the server is",
               "write mysql://127.0.0.1:3306/shop, or mysql:///shop?socket=/run/mysqld/mysqld.sock");
  return out;
}

}  // namespace

std::expected<DatabaseAddress, Malformed> parse_mysql(std::string_view text) {
  const std::string scheme = with_lower_scheme(text.substr(0, 16));
  if (scheme.starts_with("mysql://") || scheme.starts_with("mariadb://")) return parse_url(text);
  if (text.contains("://") || text.contains('@') || text.contains('='))
    return bad("this is not a URL of MySQL",
               "write mysql://127.0.0.1:3306/shop, user and password before the host, as in every URL");
  if (is_socket_path(text)) return DatabaseAddress{.hosts = {DatabaseHost{.socket_path = std::string(text)}}};
  const bool has_port = text.find(':', text.starts_with('[') ? text.find(']') : 0) != std::string_view::npos;
  const auto parsed = parse_host_port(has_port ? std::string(text) : std::string(text) + ":3306");
  if (!parsed) return std::unexpected(parsed.error());
  return DatabaseAddress{.hosts = {DatabaseHost{.name = parsed->host, .port = parsed->port}}};
}

}  // namespace belfry::config
