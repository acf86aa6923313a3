// Where a database is and as whom it is asked, as its users write it: PostgreSQL's connection strings and
// URLs, MySQL's URLs.
//
// The problem: the libraries read these themselves, when they connect; a mistake in a file is to be found
// when the file is read. What these refuse they say without the text, because there is a password in it.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model/duration.hpp"

namespace belfry::config {

// Whether TLS is spoken, in the words of libpq. `as_usual`: nothing was written.
enum class SslMode : std::uint8_t { as_usual, disable, allow, prefer, require, verify_ca, verify_full };

struct DatabaseHost {
  std::string name = {};     // whom a certificate must be for; empty when only an address is given
  std::string address = {};  // where it is, when that is written beside the name; else empty
  std::uint16_t port = 0;
  std::string socket_path = {};  // a unix socket, absolute or abstract with a leading @; empty: it is none
  [[nodiscard]] const std::string& where() const { return address.empty() ? name : address; }
};

struct DatabaseAddress {
  std::vector<DatabaseHost> hosts = {};                 // one at least; tried one after the other
  std::string user = {}, password = {}, database = {};  // empty: not written
  SslMode ssl = SslMode::as_usual;
  std::string ca = {};                // a file of authorities; empty: not written
  std::uint32_t connect_timeout = 0;  // seconds for each host; 0: none
  // Everything that was written, by libpq's names, for the library.
  std::vector<std::pair<std::string, std::string>> parameters = {};
};

// `host=a,b port=5432 user=…`, or `postgres://user:password@host:port/database?sslmode=…`: libpq, 34.1.1. A
// host has to be named; the port is 5432. Services (`service=`) and the variables PGHOST, PGPORT, PGUSER,
// PGDATABASE and PGSSLMODE are not looked at: what holds is what is written.
[[nodiscard]] std::expected<DatabaseAddress, Malformed> parse_postgres(std::string_view text);

// `mysql://user:password@host:port/database?ssl-mode=…&socket=…` (or `mariadb://`), `host`, `host:port`, or
// the absolute path of a socket. The port is 3306.
[[nodiscard]] std::expected<DatabaseAddress, Malformed> parse_mysql(std::string_view text);

namespace detail {

// A URL in its parts, with what was percent-encoded decoded.
struct DatabaseUrl {
  std::string user, password, database;
  std::vector<std::string> hosts;  // without the brackets of IPv6
  std::vector<std::string> ports;  // one for each host; empty: not written
  std::vector<std::pair<std::string, std::string>> parameters;
};
[[nodiscard]] std::unexpected<Malformed> bad(std::string message, std::string help);
// Whether the `?` of a URL may be one of a password: an `@` is behind it.
[[nodiscard]] bool may_split_password(std::string_view url);
// A key that is not known, for a message: not shown when it may be the end of a password.
[[nodiscard]] std::string shown_key(std::string_view key, bool may_be_secret);
[[nodiscard]] std::expected<DatabaseUrl, Malformed> split_database_url(std::string_view text);
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);  // at commas
[[nodiscard]] std::expected<std::uint32_t, Malformed> parse_seconds(std::string_view text);
// A host that can be asked, or a reason why not.
[[nodiscard]] std::expected<void, Malformed> check_database_host(std::string_view host);

}  // namespace detail

}  // namespace belfry::config
