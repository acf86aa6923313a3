// Environment, identity, directory and limits of a service's processes, as its file says.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model/model.hpp"
#include "daemon/resources/identities.hpp"
#include "system/launch.hpp"

namespace belfry::daemon {

// Owner: the native resources. Lifecycle: open() before the first service.
class LaunchSetup {
 public:
  explicit LaunchSetup(const config::Stack& stack);

  void open(const config::Stack& stack) { identities_.look_up(stack); }
  // One more, or another one; may block on NSS.
  void add(const config::Service& spec);
  // From here on what is started carries the identity of the stack, by which the next `run` finds it.
  void mark_with(std::string stack_id) { stack_id_ = std::move(stack_id); }

  // From here on what is started carries the word by which the guard knows it (system/guard.hpp).
  void guard_by(std::string token) { run_token_ = std::move(token); }

  [[nodiscard]] Result<void> check(const config::Service& spec) const { return identities_.check(spec); }
  void apply(const config::Service& spec, system::Launch& launch) const;
  // Whom what the service writes belongs to; empty: belfry's own user.
  [[nodiscard]] std::optional<uid_t> user_of(const config::Service& spec) const {
    const auto identity = identities_.of(spec);
    return identity ? std::optional(identity->uid) : std::nullopt;
  }
  // As whom it runs; null: as belfry does.
  [[nodiscard]] std::shared_ptr<const system::Identity> identity_of(const config::Service& spec) const {
    return identities_.of(spec);
  }
  // Environment of a process that belfry runs for somebody else (`exec`'s CMD).
  [[nodiscard]] const std::shared_ptr<const system::BaseEnvironment>& inherited() const { return inherited_; }

 private:
  void add_environment(const config::Service& spec);
  [[nodiscard]] std::shared_ptr<const system::BaseEnvironment> base_of(const config::Service& spec) const;

  bool dies_with_belfry_;
  std::shared_ptr<const system::BaseEnvironment> inherited_;
  std::shared_ptr<const system::BaseEnvironment> empty_;
  // By the names that may pass.
  std::map<std::vector<std::string>, std::shared_ptr<const system::BaseEnvironment>> only_;
  std::string stack_id_;   // empty: the services die with belfry
  std::string run_token_;  // empty: nobody guards
  Identities identities_;
};

}  // namespace belfry::daemon
