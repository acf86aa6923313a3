// As whom services run, looked up once: users and groups by name, or why they cannot be had.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "channels/error.hpp"
#include "config/model/model.hpp"
#include "system/identity.hpp"

namespace belfry::daemon {

// Owner: the native resources. Lifecycle: look_up() before the first service; it may block on NSS. Whom
// nobody has brought along is looked up when he is asked for.
class Identities {
 public:
  void look_up(const config::Stack& stack);
  // Whom a reload brings along, or brings back: who was unknown is looked up again.
  void add(const config::Service& spec);
  // A user that does not exist, or that belfry may not become, concerns the services that name it alone, and
  // trying again would change nothing. Error kind: failed.
  [[nodiscard]] Result<void> check(const config::Service& spec) const;
  // Null: the service runs as belfry does, or as somebody unknown.
  [[nodiscard]] std::shared_ptr<const system::Identity> of(const config::Service& spec) const;

 private:
  // Whom a service runs as, or why it cannot.
  struct Found {
    std::shared_ptr<const system::Identity> identity;  // null: unknown
    std::string why_not;
  };
  [[nodiscard]] static Found look_up(const config::Service& spec);

  std::unordered_map<std::string, Found> found_;  // by identity_key()
};

}  // namespace belfry::daemon
