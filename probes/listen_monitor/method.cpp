#include "probes/listen_monitor/method.hpp"

#include <algorithm>
#include <cerrno>

namespace belfry::probes {

namespace {

using Kind = config::Probe::Kind;

constexpr std::string_view no_right = "no CAP_SYS_ADMIN; add no_new_privileges: true";

template <class Predicate>
bool any_probe(const config::Service& service, Predicate fits) {
  if (std::ranges::any_of(service.ready.probes, fits)) return true;
  return service.extras && std::ranges::any_of(service.extras->bells, [&](const config::OwnBell& bell) {
           return std::ranges::any_of(bell.probes.probes, fits);
         });
}

}  // namespace

bool awaits_listen(const config::Service& service) {
  return any_probe(
      service, [](const config::Probe& p) { return p.kind == Kind::port || p.kind == Kind::unix_socket; });
}

bool awaits_bind(const config::Service& service) {
  return any_probe(service, [](const config::Probe& p) { return p.kind == Kind::port && p.udp; });
}

std::string_view why_no_notifier(const config::Service& service, config::OnDaemonDeath on_death,
                                 const system::ListenNotifierRights& rights, bool below_shim) {
  // Its listen(2) would fail once nobody is there to answer.
  if (on_death == config::OnDaemonDeath::keep) return "on_daemon_death: keep";
  if (below_shim) return "isolate: true";
  const bool asked_for = service.extras && service.extras->no_new_privileges;
  if (!rights.admin && !rights.no_new_privileges && !asked_for) return no_right;
  return {};
}

std::string_view why_notifier_refused(int errnum) {
  switch (errnum) {
    case EACCES:
    case EPERM: return no_right;
    case EBUSY: return "another listener is set above belfry";
    case EINVAL:
    case ENOSYS: return "the kernel has no seccomp notification";
    case EMFILE:
    case ENFILE: return "no descriptor was left";
    case system::no_shared_table: return "the descriptor table could not be shared";
    default: return "the kernel refused the notifier";
  }
}

bool is_refused_for_good(int errnum) { return errnum == EBUSY || errnum == EINVAL || errnum == ENOSYS; }

}  // namespace belfry::probes
