// PostgreSQL's connection strings: libpq, 34.1.1.
#include <algorithm>
#include <array>

#include "config/model/address.hpp"
#include "config/model/database_address.hpp"

namespace belfry::config {
namespace {

using detail::bad;
using detail::split_list;
using Parameters = std::vector<std::pair<std::string, std::string>>;

// Those of libpq 17 that mean something to a client; an older library refuses those that it does not know.
constexpr std::array<std::string_view, 40> known{"host",
                                                 "hostaddr",
                                                 "port",
                                                 "dbname",
                                                 "user",
                                                 "password",
                                                 "passfile",
                                                 "require_auth",
                                                 "channel_binding",
                                                 "connect_timeout",
                                                 "client_encoding",
                                                 "options",
                                                 "application_name",
                                                 "fallback_application_name",
                                                 "keepalives",
                                                 "keepalives_idle",
                                                 "keepalives_interval",
                                                 "keepalives_count",
                                                 "tcp_user_timeout",
                                                 "replication",
                                                 "gssencmode",
                                                 "gssdelegation",
                                                 "gsslib",
                                                 "krbsrvname",
                                                 "sslmode",
                                                 "requiressl",
                                                 "sslnegotiation",
                                                 "sslcompression",
                                                 "sslcert",
                                                 "sslkey",
                                                 "sslpassword",
                                                 "sslcertmode",
                                                 "sslrootcert",
                                                 "sslcrl",
                                                 "sslcrldir",
                                                 "sslsni",
                                                 "requirepeer",
                                                 "ssl_min_protocol_version",
                                                 "ssl_max_protocol_version",
                                                 "target_session_attrs"};

constexpr std::array<std::pair<std::string_view, SslMode>, 6> ssl_modes{
    {{"disable", SslMode::disable},
     {"allow", SslMode::allow},
     {"prefer", SslMode::prefer},
     {"require", SslMode::require},
     {"verify-ca", SslMode::verify_ca},
     {"verify-full", SslMode::verify_full}}};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Reads `key = value` pairs; a value with spaces stands in single quotes, a backslash takes the next
// character as it is.
class PairReader {
 public:
  explicit PairReader(std::string_view text) : rest_(text) {}

  std::expected<Parameters, Malformed> read() {
    Parameters pairs;
    for (skip_space(); !rest_.empty(); skip_space()) {
      const std::size_t end = std::min(rest_.find_first_of("= \t\n\v\f\r"), rest_.size());
      std::string key(rest_.substr(0, end));
      rest_.remove_prefix(end);
      skip_space();
      if (key.empty() || !rest_.starts_with('='))
        return bad("this connection string cannot be read: a word in it has no `=`",
                   "write key=value pairs with spaces between them, a value with spaces in single quotes: "
                   "host=127.0.0.1 dbname=shop");
      rest_.remove_prefix(1);
      skip_space();
      auto value = read_value();
      if (!value) return std::unexpected(value.error());
      pairs.emplace_back(std::move(key), std::move(*value));
    }
    return pairs;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  std::expected<std::string, Malformed> read_value() {
    std::string value;
    const bool quoted = rest_.starts_with('\'');
    if (quoted) rest_.remove_prefix(1);
    while (!rest_.empty() && (quoted ? rest_.front() != '\'' : !is_space(rest_.front()))) {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      value += rest_.front();
      rest_.remove_prefix(1);
    }
    if (quoted && rest_.empty())
      return bad("this connection string cannot be read: a single quote in it is not closed",
                 "close it, or write \\' to mean the quote itself");
    if (quoted) rest_.remove_prefix(1);
    return value;
  }
  std::string_view rest_;
};

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) out += (i == 0 ? "" : ",") + items[i];
  return out;
}

std::expected<Parameters, Malformed> parameters_of_url(std::string_view text) {
  auto url = detail::split_database_url(text);
  if (!url) return std::unexpected(url.error());
  Parameters out;
  const auto put = [&out](const char* key, std::string value) {
    if (!value.empty()) out.emplace_back(key, std::move(value));
  };
  put("user", std::move(url->user));
  put("password", std::move(url->password));
  put("host", joined(url->hosts));
  if (std::ranges::any_of(url->ports, [](const std::string& port) { return !port.empty(); }))
    put("port", joined(url->ports));
  put("dbname", std::move(url->database));
  for (auto& [key, value] : url->parameters) {
    if (key == "ssl" && value == "true")  // as JDBC writes it
      out.emplace_back("sslmode", "require");
    else
      out.emplace_back(std::move(key), std::move(value));
  }
  return out;
}

const std::string& value_of(const Parameters& pairs, std::string_view key) {
  static const std::string none;
  const auto found = std::ranges::find(pairs.rbegin(), pairs.rend(), key, &Parameters::value_type::first);
  return found == pairs.rend() ? none : found->second;  // the last one counts
}

std::expected<void, Malformed> check_keys(const Parameters& pairs, bool may_be_secret) {
  for (const auto& [key, value] : pairs) {
    if (key == "service" || key == "servicefile")
      return bad("`service` in a connection string names a file that belfry does not read",
                 "write what stands there: host=… port=… dbname=…");
    if (std::ranges::find(known, key) == known.end())
      return bad("a connection string of PostgreSQL has no " + detail::shown_key(key, may_be_secret),
                 "the keys are those of libpq: host, port, user, password, dbname, sslmode, …; a password "
                 "with a space in it stands in single quotes");
  }
  return {};
}

std::expected<DatabaseHost, Malformed> host_of(std::string name, std::string address,
                                               const std::string& port) {
  DatabaseHost host{.name = std::move(name), .address = std::move(address), .port = 5432};
  if (!port.empty()) {
    const auto number = parse_port(port);
    if (!number) return bad("the port of this database is not a port", number.error().help);
    host.port = *number;
  }
  const bool is_folder = host.name.starts_with('/') || host.name.starts_with('@');
  if (is_folder && host.address.empty()) {
    host.socket_path = host.name + "/.s.PGSQL." + std::to_string(host.port);
    return host;
  }
  if (auto good = detail::check_database_host(host.where()); !good) return std::unexpected(good.error());
  return host;
}

// `host`, `hostaddr` and `port` are lists of the same length; one port is for all.
std::expected<std::vector<DatabaseHost>, Malformed> hosts_of(const Parameters& pairs) {
  const std::string& names = value_of(pairs, "host");
  const std::string& addresses = value_of(pairs, "hostaddr");
  if (names.empty() && addresses.empty())
    return bad("this connection string does not say where the server is",
               "add host=127.0.0.1, or the folder of its unix socket: host=/run/postgresql");
  std::vector<std::string> name = split_list(names);
  std::vector<std::string> address = split_list(addresses);
  std::vector<std::string> port = split_list(value_of(pairs, "port"));
  const std::size_t count = addresses.empty() ? name.size() : address.size();
  if (names.empty()) name.resize(count);
  if (addresses.empty()) address.resize(count);
  if (port.size() == 1) port.resize(count, port.front());
  if (name.size() != count || port.size() != count)
    return bad("this connection string has not as many ports as hosts",
               "write one port for all, or one for each host, in the same order");
  std::vector<DatabaseHost> hosts;
  for (std::size_t i = 0; i < count; ++i) {
    auto host = host_of(name[i], address[i], port[i]);
    if (!host) return std::unexpected(host.error());
    hosts.push_back(std::move(*host));
  }
  return hosts;
}

}  // namespace

std::expected<DatabaseAddress, Malformed> parse_postgres(std::string_view text) {
  const std::string lower = with_lower_scheme(text.substr(0, 16));
  const bool is_url = lower.starts_with("postgres://") || lower.starts_with("postgresql://");
  auto pairs = is_url ? parameters_of_url(text) : PairReader(text).read();
  if (!pairs) return std::unexpected(pairs.error());
  const bool may_be_secret =
      is_url ? detail::may_split_password(text) : !value_of(*pairs, "password").empty();
  if (auto good = check_keys(*pairs, may_be_secret); !good) return std::unexpected(good.error());
  auto hosts = hosts_of(*pairs);
  if (!hosts) return std::unexpected(hosts.error());
  DatabaseAddress out{.hosts = std::move(*hosts),
                      .user = value_of(*pairs, "user"),
                      .password = value_of(*pairs, "password"),
                      .database = value_of(*pairs, "dbname"),
                      .ca = value_of(*pairs, "sslrootcert")};
  if (const std::string& mode = value_of(*pairs, "sslmode"); !mode.empty()) {
    const auto* const found =
        std::ranges::find(ssl_modes, mode, &std::pair<std::string_view, SslMode>::first);
    if (found == ssl_modes.end())
      return bad("`sslmode` of this connection string is none of libpq's",
                 "write disable, allow, prefer, require, verify-ca or verify-full");
    out.ssl = found->second;
  }
  if (const std::string& seconds = value_of(*pairs, "connect_timeout"); !seconds.empty()) {
    const auto value = detail::parse_seconds(seconds);
    if (!value) return std::unexpected(value.error());
    out.connect_timeout = *value;
  }
  out.parameters = std::move(*pairs);
  return out;
}

}  // namespace belfry::config
