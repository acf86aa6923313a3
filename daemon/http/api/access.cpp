#include "daemon/http/api/access.hpp"

#include <algorithm>
#include <string>

namespace belfry::daemon::http {

namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

bool has_one_of(const std::vector<gid_t>& groups, const std::vector<gid_t>& allowed) {
  return std::ranges::any_of(groups,
                             [&](gid_t group) { return std::ranges::find(allowed, group) != allowed.end(); });
}

}  // namespace

Access access_of(const Caller& caller, const AccessRules& rules) {
  using system::Peer;
  const auto& [granted, peer] = caller;
  switch (peer.kind) {
    case Peer::Kind::unix_socket:
      // The socket's mode keeps strangers out already; its credentials hold where a mode was widened.
      if (granted != Access::full || peer.trusted_user) return granted;
      return has_one_of(peer.groups, rules.groups) ? Access::full : Access::none;
    case Peer::Kind::loopback: return std::min(granted, Access::read_only);
    case Peer::Kind::remote: break;
  }
  return std::min(granted, Access::health_only);
}

std::string who_is(const Caller& caller) {
  const system::Peer& peer = caller.peer;
  if (peer.kind != system::Peer::Kind::unix_socket) return peer.address + " (with the token)";
  return "user " + std::to_string(peer.user) + " (process " + std::to_string(peer.process) + ")";
}

bool comes_from_elsewhere(std::string_view origin, std::string_view host) {
  if (origin.empty()) return false;
  const auto scheme = origin.find("://");
  if (scheme == std::string_view::npos) return true;  // "null": a page that hides where it is from
  return lower_case(origin.substr(scheme + 3)) != lower_case(host);
}

bool names_this_host(std::string_view host) {
  if (host.empty()) return true;  // HTTP/1.0: no browser sends none
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.find(':'));
  const auto is_address_char = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  if (std::ranges::all_of(host, is_address_char)) return true;
  std::string lower = lower_case(host);
  if (lower.ends_with('.')) lower.pop_back();
  return lower == "localhost" || lower.ends_with(".localhost");
}

}  // namespace belfry::daemon::http
