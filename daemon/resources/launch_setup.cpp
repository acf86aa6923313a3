#include "daemon/resources/launch_setup.hpp"

#include <unistd.h>

#include "daemon/resources/survivors.hpp"
#include "system/guard.hpp"

namespace belfry::daemon {

namespace {

// What setrlimit(2), umask(2) and their like are told before the exec.
void set_attributes(const config::ServiceExtras& extras, system::Launch& launch) {
  launch.umask = extras.umask;
  launch.nice = extras.nice;
  launch.oom_score_adj = extras.oom_score_adj;
  launch.no_new_privileges = extras.no_new_privileges;
  if (extras.capabilities)
    launch.capabilities = {.dropped = extras.capabilities->dropped, .ambient = extras.capabilities->ambient};
  launch.cpus = extras.cpu_affinity;
  if (extras.io_priority)
    launch.disk_priority =
        system::io_priority(static_cast<unsigned>(extras.io_priority->of), extras.io_priority->level);
  launch.rlimits.clear();
  for (const config::ResourceLimit& limit : extras.rlimits)
    launch.rlimits.push_back({.resource = limit.resource, .soft = limit.soft, .hard = limit.hard});
}

}  // namespace

LaunchSetup::LaunchSetup(const config::Stack& stack)
    : dies_with_belfry_(stack.on_daemon_death == config::OnDaemonDeath::kill),
      inherited_(system::BaseEnvironment::inherited(environ)),
      empty_(system::BaseEnvironment::empty()) {
  for (const config::Service& spec : stack.services) add_environment(spec);
}

void LaunchSetup::add_environment(const config::Service& spec) {
  if (!spec.extras || !spec.extras->environment_from) return;
  auto& made = only_[*spec.extras->environment_from];
  if (!made) made = system::BaseEnvironment::only(*inherited_, *spec.extras->environment_from);
}

void LaunchSetup::add(const config::Service& spec) {
  add_environment(spec);
  identities_.add(spec);
}

std::shared_ptr<const system::BaseEnvironment> LaunchSetup::base_of(const config::Service& spec) const {
  if (spec.extras && spec.extras->environment_from) {
    const auto known = only_.find(*spec.extras->environment_from);
    return known != only_.end() ? known->second
                                : system::BaseEnvironment::only(*inherited_, *spec.extras->environment_from);
  }
  return spec.clean_environment ? empty_ : inherited_;
}

void LaunchSetup::apply(const config::Service& spec, system::Launch& launch) const {
  launch.set_environment(base_of(spec), spec.environment);
  if (spec.extras) {
    for (const config::Secret& secret : spec.extras->secrets)
      launch.add_variable(secret.variable, secret.value);
    set_attributes(*spec.extras, launch);
  }
  if (!stack_id_.empty()) launch.add_variable(stack_variable, stack_id_);
  if (!run_token_.empty()) launch.add_variable(system::run_variable, run_token_);
  launch.working_dir = spec.working_dir;
  launch.die_with_belfry = dies_with_belfry_;
  if (auto identity = identities_.of(spec)) launch.identity = std::move(identity);
  if (spec.user->empty() || !launch.identity) return;
  for (const auto& [name, value] :
       {std::pair("HOME", launch.identity->home), std::pair("USER", launch.identity->name),
        std::pair("LOGNAME", launch.identity->name), std::pair("SHELL", launch.identity->shell)}) {
    launch.add_variable(name, value);
  }
  // What the file says goes before what the user database says.
  for (const auto& [name, value] : spec.environment) launch.add_variable(name, value);
}

}  // namespace belfry::daemon
