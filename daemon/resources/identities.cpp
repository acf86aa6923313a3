#include "daemon/resources/identities.hpp"

#include <cstring>

#include "daemon/resources/run_as.hpp"

namespace belfry::daemon {

namespace {

std::string why_unknown(const system::SpawnError& error) {
  if (error.errnum == 0) return error.detail + " (create it, or name another one)";
  return error.detail + ": " + std::strerror(error.errnum);
}

bool wants_one(const config::Service& spec) { return identity_key(spec) != ":"; }

}  // namespace

void Identities::look_up(const config::Stack& stack) {
  for (const config::Service& spec : stack.services) {
    if (wants_one(spec) && !found_.contains(identity_key(spec)))
      found_.emplace(identity_key(spec), look_up(spec));
  }
}

void Identities::add(const config::Service& spec) {
  if (!wants_one(spec)) return;
  const auto known = found_.find(identity_key(spec));
  if (known == found_.end() || !known->second.identity) found_[identity_key(spec)] = look_up(spec);
}

Identities::Found Identities::look_up(const config::Service& spec) {
  const uid_t own_user = system::own_user();
  const std::string user = spec.user->empty() ? std::to_string(own_user) : *spec.user;
  auto found = spec.extras
                   ? system::find_identity(user, spec.extras->group, spec.extras->supplementary_groups)
                   : system::find_identity(user);
  // Of root, and whoever has its capabilities, check_rights() says which are missing.
  if (!found) return {.identity = nullptr, .why_not = why_unknown(found.error())};
  std::string why_not = own_user == 0 ? std::string() : system::why_cannot_become(*found);
  return {.identity = std::make_shared<const system::Identity>(std::move(*found)),
          .why_not = std::move(why_not)};
}

Result<void> Identities::check(const config::Service& spec) const {
  if (!wants_one(spec)) return check_capabilities(spec);
  const auto known = found_.find(identity_key(spec));
  const Found found = known != found_.end() ? known->second : look_up(spec);
  if (found.why_not.empty()) return check_rights(spec, *found.identity);
  return std::unexpected(
      Error::failed("cannot run " + spec.name + " as " + words_for_identity(spec) + ": " + found.why_not));
}

std::shared_ptr<const system::Identity> Identities::of(const config::Service& spec) const {
  if (!wants_one(spec)) return nullptr;
  const auto known = found_.find(identity_key(spec));
  return known != found_.end() ? known->second.identity : look_up(spec).identity;
}

}  // namespace belfry::daemon
