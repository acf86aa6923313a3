// Where a probe goes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "channels/error.hpp"

namespace belfry::probes {

// A host and a port, or a unix socket.
struct Target {
  std::string host;
  std::uint16_t port = 0;
  std::string socket_path = {};  // absolute, or abstract with a leading @; empty: it is host and port
  [[nodiscard]] std::string text() const;
};

// A URL in its parts (RFC 3986), with what was percent-encoded in user, password and host decoded.
struct Url {
  std::string scheme;
  Target target;  // port 0: none is given
  std::string user, password;
  std::string path;  // with the query, as written; "/" if there is none
};

// "db:5432", "[::1]:5432".
Result<Target> parse_host_port(std::string_view text);
// A port that is missing is `default_port`.
Result<Target> parse_host_port(std::string_view text, std::uint16_t default_port);
// `scheme://[user[:password]@]host[:port][/path][?query]`. With the scheme `…+unix` the host is the
// percent-encoded path of a socket: `http+unix://%2Frun%2Fapp.sock/health`.
Result<Url> parse_url(std::string_view text, std::uint16_t default_port = 0);

}  // namespace belfry::probes
