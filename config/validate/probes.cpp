// Probes that cannot work where they stand.
#include <algorithm>
#include <array>
#include <set>

#include "config/keys/quote.hpp"
#include "config/model/enum_names.hpp"
#include "config/model/probes_of.hpp"
#include "config/validate/validate.hpp"

namespace belfry::config {
namespace {

using Kind = Probe::Kind;

// Kinds that look at a process of the service, and kinds that tell something once and never again.
bool needs_process(Kind kind) {
  constexpr std::array kinds{Kind::listen, Kind::port, Kind::unix_socket, Kind::notify, Kind::fd, Kind::log};
  return std::ranges::find(kinds, kind) != kinds.end();
}
bool tells_once(Kind kind) {
  constexpr std::array kinds{Kind::listen, Kind::notify, Kind::fd, Kind::log};
  return std::ranges::find(kinds, kind) != kinds.end();
}

// The entrypoints of the official images of PostgreSQL, MySQL and MariaDB start a temporary server to
// initialise an empty database, on the unix socket alone, stop it, and start the real one: what listens
// there, and what says that it is ready, does so twice.
bool starts_a_temporary_server(const Command& command) {
  return std::ranges::any_of(command, [](const std::string& word) {
    const std::string_view name = std::string_view(word).substr(word.rfind('/') + 1);
    return name == "docker-entrypoint.sh" || name == "docker-ensure-initdb.sh";
  });
}
bool names_a_database(const Command& command) {
  constexpr std::array servers{"postgres", "mysqld", "mariadbd", "mysqld_safe", "mariadbd-safe"};
  return std::ranges::any_of(command, [&](const std::string& word) {
    const std::string_view name = std::string_view(word).substr(word.rfind('/') + 1);
    return std::ranges::find(servers, name) != servers.end();
  });
}

class ProbeCheck {
 public:
  ProbeCheck(Decoder& decoder, const Service& service) : decoder_(decoder), service_(service) {}

  void readiness(const ProbeSet& set) {
    for (const Probe& probe : set.probes) {
      if (service_.type == ServiceType::external && needs_process(probe.kind))
        report(probe,
               "a probe of kind " + quote(name_of(probe.kind)) +
                   " needs a process, and belfry does not run the external service " + quote(service_.name),
               "ask it from outside: `tcp`, `http`, `postgres`, `exec`, …");
      else if (probe.kind == Kind::listen && sockets() == 0)
        report(probe, quote(service_.name) + " has no sockets that belfry could listen on",
               "add listen: \"127.0.0.1:8080\", or write ready: {port: 8080}");
      else if (probe.kind == Kind::log && service_.extras && service_.extras->log.inherit)
        report(probe, "with `log: inherit` the output of " + quote(service_.name) + " does not pass belfry",
               "remove `log: inherit`, or use another kind of probe");
      else if (probe.kind == Kind::port && probe.port == 0 && probe.target.empty() && probe.any_owner)
        report(probe,
               "`port: any` is a port of " + quote(service_.name) + " itself: `owner: any` has too many",
               "remove `owner: any`, or name the port");
      else if (probe.kind == Kind::cluster && service_.type != ServiceType::external)
        report(probe,
               "belfry runs " + quote(service_.name) + " itself: what other hosts publish is another service",
               "make an external service of it, and let " + quote(service_.name) + " depend on that");
      else if (probe.kind == Kind::fd && probe.fd > 0)
        descriptor(probe);
    }
    two_phases(set);
  }

  void liveness(const ProbeSet& set) {
    for (const Probe& probe : set.probes)
      if (tells_once(probe.kind))
        report(probe,
               "a probe of kind " + quote(name_of(probe.kind)) + " cannot tell that a service is still alive",
               "use `http`, `tcp`, `port`, `exec`, …; or watchdog: 30s for a service that says WATCHDOG=1");
  }

 private:
  // A ready fd stands outside the range of LISTEN_FDS (the sockets, then what the service has stored), and
  // tells one thing.
  void descriptor(const Probe& probe) {
    const std::size_t reserved = sockets() + (service_.extras ? service_.extras->fd_store : 0);
    const std::string number = std::to_string(probe.fd);
    if (probe.fd < 3 + reserved)
      report(probe,
             "descriptor " + number + " is one of " +
                 (reserved == sockets() ? "the sockets passed on by `listen`" : "`listen` and `fd_store`") +
                 ", which are 3 to " + std::to_string(2 + reserved),
             "use " + std::to_string(3 + reserved) + " or a higher one");
    else if (!used_.insert(probe.fd).second)
      report(probe, "descriptor " + number + " is used by two probes of " + quote(service_.name),
             "give each its own");
  }
  // A list is true when the last of it is, so one probe that waits for the real server is enough.
  void two_phases(const ProbeSet& set) {
    if (!starts_a_temporary_server(service_.command) || !names_a_database(service_.command)) return;
    const auto rings_early = [](const Probe& probe) {
      return probe.kind == Kind::unix_socket || (probe.kind == Kind::log && probe.times < 2);
    };
    if (set.any ? std::ranges::none_of(set.probes, rings_early)
                : !std::ranges::all_of(set.probes, rings_early))
      return;
    const auto first = std::ranges::find_if(set.probes, rings_early);
    if (first == set.probes.end()) return;
    decoder_.diagnostics().warning(
        "two-phase-server", Span(first->place),
        quote(service_.name) + " starts a temporary server first when its database is empty, and " +
            quote(name_of(first->kind)) + " is true of that one already",
        first->kind == Kind::log
            ? "add `times: 2` and see to it that the line comes twice, or ask the port: "
              "`postgres`, `mysql` or `tcp`"
            : "ask the port, which only the real one opens: `postgres`, `mysql` or `tcp`; "
              "or log: {regex: …, times: 2}");
  }
  std::size_t sockets() const { return service_.extras ? service_.extras->listen.size() : 0; }
  void report(const Probe& probe, std::string message, std::string help) {
    decoder_.diagnostics().error("unfit-probe", Span(probe.place), std::move(message), std::move(help));
  }

  Decoder& decoder_;
  const Service& service_;
  std::set<std::uint16_t> used_;
};

}  // namespace

// What concerns other hosts needs to know how they are reached.
void check_cluster(Decoder& decoder, const StackDraft& draft) {
  if (draft.stack.cluster) return;
  const auto error = [&decoder](Place place, std::string what) {
    decoder.diagnostics().error("missing-key", Span(place),
                                std::move(what) + ", and this file has no `cluster`",
                                "add cluster: {etcd: [\"https://e1:2379\"]} beside `services`");
  };
  for (std::size_t i = 0; i < draft.stack.services.size(); ++i) {
    if (is_repetition(draft, i)) continue;
    const Service& service = draft.stack.services[i];
    for (const Probe* probe : probes_of(service, Kind::cluster))
      error(probe->place, "a `cluster` probe asks etcd");
    if (service.extras && service.extras->publish)
      error(draft.origins[i].mapping->find("publish")->place(),
            quote(service.name) + " is published through etcd");
  }
}

// What nobody else has is nobody else's to count; and what there is one of is not replaced one by one.
void check_update(Decoder& decoder, const StackDraft& draft) {
  for (std::size_t i = 0; i < draft.stack.services.size(); ++i) {
    const Service& service = draft.stack.services[i];
    if (is_repetition(draft, i) || !service.extras || !service.extras->update) continue;
    const Node& update = *draft.origins[i].mapping->find("update");
    const auto error = [&](Place place, std::string what, std::string help) {
      decoder.diagnostics().error("missing-key", Span(place), std::move(what), std::move(help));
    };
    if (service.extras->update->max_unavailable != 0 && !service.extras->publish)
      error(update.place(),
            "`max_unavailable` counts the hosts that publish " + quote(service.name) +
                ", and this one does not",
            "add publish: true");
    for (const std::string_view key : {"parallel", "wait", "on_failure"}) {
      const Node* const written = update.find(key);
      if (written == nullptr || draft.origins[i].replica_of != 0) continue;
      error(written->place(), quote(key) + " is about replicas, and " + quote(service.name) + " has none",
            "add replicas: 3");
    }
  }
}

void check_probes(Decoder& decoder, const StackDraft& draft) {
  check_cluster(decoder, draft);
  check_update(decoder, draft);
  for (std::size_t i = 0; i < draft.stack.services.size(); ++i) {
    if (is_repetition(draft, i)) continue;
    const Service& service = draft.stack.services[i];
    ProbeCheck check(decoder, service);
    check.readiness(service.ready);
    if (service.live) check.liveness(*service.live);
    if (!service.extras) continue;
    for (const OwnBell& bell : service.extras->bells) check.readiness(bell.probes);
  }
}

}  // namespace belfry::config
