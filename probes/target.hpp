// Where a probe goes, and a connection to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "channels/asio.hpp"
#include "channels/context.hpp"
#include "channels/error.hpp"
#include "channels/task.hpp"

namespace belfry::probes {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

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

// Tries each address of the name in turn; a literal address is never looked up. The error says which
// address refused and why.
Task<Result<void>> connect(Context& ctx, Socket& socket, const Target& target);

// "No route to host" for an error of Asio; for a cancelled context its cause ("deadline exceeded").
Error connection_error(Context& ctx, const std::string& what, const error_code& ec);

}  // namespace belfry::probes
