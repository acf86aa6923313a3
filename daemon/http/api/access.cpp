#include "daemon/http/api/access.hpp"

#include <algorithm>
#include <string>

namespace belfry::daemon::http {

Access access_of(const Caller& caller) {
  using system::Peer;
  const auto& [granted, peer] = caller;
  switch (peer.kind) {
    case Peer::Kind::unix_socket:
      // The socket's mode keeps strangers out already; its credentials hold where a mode was widened.
      return granted == Access::full && !peer.trusted_user ? Access::none : granted;
    case Peer::Kind::loopback: return std::min(granted, Access::read_only);
    case Peer::Kind::remote: break;
  }
  return std::min(granted, Access::health_only);
}

bool names_this_host(std::string_view host) {
  if (host.empty()) return true;  // HTTP/1.0: no browser sends none
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.find(':'));
  const auto is_address_char = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  if (std::ranges::all_of(host, is_address_char)) return true;
  std::string lower(host);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (lower.ends_with('.')) lower.pop_back();
  return lower == "localhost" || lower.ends_with(".localhost");
}

}  // namespace belfry::daemon::http
