#include "daemon/cluster/keys.hpp"

namespace belfry::daemon::cluster {

namespace {

constexpr char letter(KeyKind kind) { return kind == KeyKind::words ? 'w' : 's'; }
constexpr std::string_view before_host(KeyKind kind) { return kind == KeyKind::reservation ? "/r/" : "/h/"; }

}  // namespace

std::string Keys::below(std::string_view service) const {
  return prefix_ + "s/" + std::string(service) + "/";
}

std::string Keys::of_service(KeyKind kind, std::string_view service) const {
  return prefix_ + letter(kind) + "/" + std::string(service) + std::string(before_host(kind));
}

std::string Keys::of_host(KeyKind kind, std::string_view service, std::string_view host) const {
  return of_service(kind, service) + std::string(host);
}

std::optional<KeyParts> Keys::parse(std::string_view key) const {
  if (!key.starts_with(prefix_)) return std::nullopt;
  key.remove_prefix(prefix_.size());
  if (key.size() < 2 || key[1] != '/') return std::nullopt;
  KeyParts parts;
  if (key[0] == letter(KeyKind::words))
    parts.kind = KeyKind::words;
  else if (key[0] != letter(KeyKind::publication))
    return std::nullopt;
  key.remove_prefix(2);
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  parts.service = key.substr(0, slash);
  key.remove_prefix(slash);
  if (parts.kind == KeyKind::publication && key.starts_with(before_host(KeyKind::reservation)))
    parts.kind = KeyKind::reservation;
  const std::string_view before = before_host(parts.kind);
  if (!key.starts_with(before)) return std::nullopt;
  parts.host = key.substr(before.size());
  if (parts.host.empty() || parts.host.contains('/')) return std::nullopt;
  return parts;
}

}  // namespace belfry::daemon::cluster
