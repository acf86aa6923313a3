#include "system/numeric_address.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <charconv>
#include <string_view>

namespace belfry::system {

namespace {

// An interface by name or number, as RFC 4007 writes it behind `%`; 0 for none there is.
unsigned scope_of(const std::string& text) {
  unsigned index = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, index);
  return read.ec == std::errc{} && read.ptr == end ? index : ::if_nametoindex(text.c_str());
}

bool read_ipv6(const std::string& host, sockaddr_in6& into) {
  const auto percent = host.find('%');
  if (percent != std::string::npos) {
    into.sin6_scope_id = scope_of(host.substr(percent + 1));
    if (into.sin6_scope_id == 0) return false;
  }
  return host == "*" || ::inet_pton(AF_INET6, host.substr(0, percent).c_str(), &into.sin6_addr) == 1;
}

}  // namespace

std::optional<SocketAddress> numeric_address(int family, const std::string& host, std::uint16_t port) {
  SocketAddress made;
  made.storage.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET6) {
    auto& address = reinterpret_cast<sockaddr_in6&>(made.storage);
    address.sin6_port = htons(port);
    made.size = sizeof address;
    if (read_ipv6(host, address)) return made;
  } else {
    auto& address = reinterpret_cast<sockaddr_in&>(made.storage);
    address.sin_port = htons(port);
    made.size = sizeof address;
    if (host == "*" || ::inet_aton(host.c_str(), &address.sin_addr) != 0) return made;
  }
  return std::nullopt;
}

}  // namespace belfry::system
