// What of a service's identity and limits belfry may not do, as it runs here.
#include <algorithm>

#include "config/model/kernel_names.hpp"
#include "daemon/host/real_host.hpp"
#include "system/capabilities.hpp"
#include "system/cgroup.hpp"
#include "system/identity.hpp"
#include "system/own_limits.hpp"
#include "system/sandbox.hpp"

namespace belfry::daemon {

namespace {

using Refusal = config::Host::Refusal;

constexpr std::string_view start_as_root = "start belfry as root, or remove the key";

bool needs_mounts(const config::Sandbox& sandbox) {
  return sandbox.read_only_root || sandbox.private_tmp || sandbox.protect_home;
}

std::string what_happens(bool required) {
  return required ? "it is `required`, and the service will not start" : "the service runs without";
}

void of_limits(const config::ServiceExtras& extras, std::vector<Refusal>& out) {
  if (extras.nice && !system::may_set_nice(*extras.nice))
    out.push_back({"nice", "only root (CAP_SYS_NICE) may raise a priority", std::string(start_as_root)});
  if (extras.oom_score_adj && !system::may_set_oom_score(*extras.oom_score_adj))
    out.push_back({"oom_score_adj", "only root (CAP_SYS_RESOURCE) may lower it", std::string(start_as_root)});
  for (const config::ResourceLimit& limit : extras.rlimits) {
    if (system::may_set_limit(limit.resource, limit.hard)) continue;
    out.push_back(
        {"rlimits", "only root (CAP_SYS_RESOURCE) may raise a hard limit", std::string(start_as_root)});
    break;
  }
  if (extras.io_priority && extras.io_priority->of == config::IoClass::realtime &&
      !system::has_capability(CAP_SYS_NICE) && !system::has_capability(CAP_SYS_ADMIN))
    out.push_back(
        {"io_priority", "only root (CAP_SYS_NICE) may have the class realtime", std::string(start_as_root)});
  if (!extras.cpu_affinity.empty() && !system::has_one_of(extras.cpu_affinity))
    out.push_back(
        {"cpu_affinity", "this machine, or belfry's cpuset, has none of these CPUs", "name others"});
}

// Where belfry is asked here and now: another cgroup may be its own when it runs.
void of_cgroup(const config::ServiceExtras& extras, std::vector<Refusal>& out) {
  if (!extras.cgroup) return;
  const config::Cgroup& asked = *extras.cgroup;
  if (const std::string why = system::cgroup::why_no_limits(
          {.memory_max = asked.memory_max, .cpu_max = asked.cpu_max, .pids_max = asked.pids_max});
      !why.empty())
    out.push_back(
        {"cgroup", why + "; the service runs without",
         "start belfry in a cgroup v2 of its own: a unit or systemd-run --scope with Delegate=yes"});
}

// Only `check` asks: what is not to be had at a start is said there with what is done instead.
void of_kernel(const config::ServiceExtras& extras, std::vector<Refusal>& out) {
  if (!extras.sandbox || !extras.sandbox->read_only_root) return;
  const auto tried = system::Sandbox::make({.read_only_root = true});
  if (!tried && tried.error().text().contains("5.12"))
    out.push_back({"sandbox", "`read_only_root`: " + tried.error().text() + "; the service will not start",
                   "remove `read_only_root`, or run a later kernel"});
}

}  // namespace

const std::string& RealHost::why_no_namespaces(bool mounts, bool network) {
  auto& known = namespaces_[(mounts ? 1U : 0U) + (network ? 2U : 0U)];
  if (!known) {
    const auto tried = system::Sandbox::make({.private_tmp = mounts, .private_network = network});
    known = tried ? std::string() : tried.error().text();
  }
  return *known;
}

void RealHost::of_namespaces(const config::ServiceExtras& extras, std::vector<Refusal>& out) {
  if (!extras.credentials.empty()) {
    if (const std::string& why = why_no_namespaces(true, false); !why.empty())
      out.push_back({"credentials",
                     "they will be files in belfry's own directory, which root and the service's user can "
                     "read, instead of a private file system: " +
                         why,
                     "start belfry as root"});
  }
  if (!extras.sandbox) return;
  const config::Sandbox& asked = *extras.sandbox;
  std::string why = needs_mounts(asked) ? why_no_namespaces(true, false) : std::string();
  if (why.empty() && asked.private_network) why = why_no_namespaces(false, true);
  if (!why.empty())
    out.push_back({"sandbox", why + "; " + what_happens(asked.required),
                   "start belfry as root (in a container: with CAP_SYS_ADMIN)"});
}

std::vector<Refusal> RealHost::what_is_refused(const config::Service& service) {
  std::vector<Refusal> out;
  static const config::ServiceExtras none;
  const config::ServiceExtras& extras = service.extras ? *service.extras : none;
  if (!service.user->empty() || !extras.group.empty() || !extras.supplementary_groups.empty()) {
    const std::string user = service.user->empty() ? std::to_string(system::own_user()) : *service.user;
    const auto identity = system::find_identity(user, extras.group, extras.supplementary_groups);
    const std::string_view key = !service.user->empty()  ? "user"
                                 : !extras.group.empty() ? "group"
                                                         : "supplementary_groups";
    if (identity) {
      if (auto missing = system::what_is_missing_to_run_as(*identity))
        out.push_back({key, std::move(*missing), std::string(start_as_root)});
    } else if (system::find_identity(user, extras.group)) {  // else it is said of the user
      out.push_back({"supplementary_groups", identity.error().detail, "create it, or name another one"});
    }
  }
  if (!service.extras) return out;
  if (extras.capabilities) {
    if (auto why = system::why_no_capabilities(extras.capabilities->dropped, extras.capabilities->ambient);
        !why.empty())
      out.push_back({"capabilities", std::move(why), "start belfry as root, or remove the key"});
  }
  of_limits(extras, out);
  const std::size_t before = out.size();
  of_namespaces(extras, out);
  if (!ask_for_ports_) return out;
  if (out.size() == before) of_kernel(extras, out);
  of_cgroup(extras, out);
  return out;
}

}  // namespace belfry::daemon
