// Where a probe goes, and a connection to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "channels/asio.hpp"
#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"
#include "probes/happy_eyeballs.hpp"
#include "probes/resolver.hpp"

namespace belfry::probes {

struct Target {
  std::string host;
  std::uint16_t port = 0;
  std::string path = "/";  // of a URL
  [[nodiscard]] std::string text() const {
    return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
  }
};

Result<Target> parse_host_port(std::string_view text);
// http:// only: "http://host[:port]/path?query".
Result<Target> parse_http_url(std::string_view text);

// Looks the name up, then tries its addresses as happy_eyeballs.hpp says. The error says which address
// refused and why. `target` must outlive the task.
Task<Result<void>> connect(Context& ctx, Socket& socket, Resolver& resolver, const Target& target);

// "No route to host" for an error of Asio; for a cancelled context its cause ("deadline exceeded").
Error connection_error(Context& ctx, const std::string& what, const error_code& ec);

}  // namespace belfry::probes
