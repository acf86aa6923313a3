// Addresses as a file writes them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "config/model/duration.hpp"

namespace belfry::config {

struct HostPort {
  std::string host;  // without the brackets of IPv6
  std::uint16_t port = 0;
};

// `host:port` or `[v6]:port`; the port is 1 to 65535.
[[nodiscard]] std::expected<HostPort, Malformed> parse_host_port(std::string_view text);

// 1 to 65535, decimal, without leading zero.
[[nodiscard]] std::expected<std::uint16_t, Malformed> parse_port(std::string_view text);

// `url` with its scheme in lower case, which means the same (RFC 3986).
[[nodiscard]] std::string with_lower_scheme(std::string_view url);

// Nothing if `text` is an `http://` or `https://` URL with a host and, if given, a good port.
[[nodiscard]] std::expected<void, Malformed> check_url(std::string_view text);

// Nothing if `text` is host:port, or `scheme://[user[:password]@]host[:port][/path]`, or the same with an `s`
// behind the scheme (TLS). What is wrong with a URL is said without quoting it: a password may stand in it.
[[nodiscard]] std::expected<void, Malformed> check_server(std::string_view text, std::string_view scheme);

}  // namespace belfry::config
