#include "daemon/unsupported.hpp"

#include <string_view>

namespace belfry::daemon {

namespace {

using config::Probe;

std::string_view missing_probe(Probe::Kind kind) {
  switch (kind) {
    case Probe::Kind::notify:
    case Probe::Kind::tcp:
    case Probe::Kind::http:
    case Probe::Kind::exec:
    case Probe::Kind::port:
    case Probe::Kind::unix_socket:
    case Probe::Kind::file:
    case Probe::Kind::listen:
    case Probe::Kind::fd:
    case Probe::Kind::log: return {};
    case Probe::Kind::grpc: return "a `grpc` probe";
    case Probe::Kind::postgres: return "a `postgres` probe (next step: `exec: [pg_isready, …]` or `notify`)";
    case Probe::Kind::mysql: return "a `mysql` probe (next step: `exec: [mysqladmin, ping, …]` or `notify`)";
    case Probe::Kind::redis: return "a `redis` probe (next step: `exec: [redis-cli, ping]` or `notify`)";
    case Probe::Kind::cluster: return "a `cluster` probe";
  }
  return "this probe";
}

// Owner: the call. Lifecycle: one stack. Cancellation: none.
class Collector {
 public:
  explicit Collector(config::Diagnostics& found) : found_(found) {}

  void service(const config::Service& s) {
    enabled_ = s.enabled;
    probes(s, s.ready);
    refuse(s, s.ready.probes.size() > 32, "more than 32 probes in one `ready`");  // Record::truths is a word
    if (s.live) probes(s, *s.live);
    if (!s.extras) return;
    const config::ServiceExtras& e = *s.extras;
    for (const config::OwnBell& bell : e.bells) probes(s, bell.probes);
    refuse(s, e.bells.size() > 32, "more than 32 own bells");  // Record::rung is a word
    refuse(s, e.tty && e.log.inherit, "`tty` together with `log: inherit`");
    refuse(s,
           !e.log.file.empty() || e.log.format != config::LogFormat::text ||
               e.log.overflow != config::LogOverflow::drop,
           "`log` beyond standard output");
  }

 private:
  void probes(const config::Service& s, const config::ProbeSet& set) {
    for (const Probe& p : set.probes) {
      const bool tls = p.kind == Probe::Kind::http && p.target.starts_with("https://");
      const auto what =
          tls ? std::string_view("`https` in a probe (next step: `http`, or `exec: [curl, -fsS, …]`)")
              : missing_probe(p.kind);
      if (!what.empty()) refuse_at(p.place.line != 0 ? p.place : s.place, what);
    }
  }
  void refuse(const config::Service& s, bool used, std::string_view what) {
    if (used) refuse_at(s.place, what);
  }
  void refuse_at(const config::Place& place, std::string_view what) {
    const std::string message = "cannot use " + std::string(what) + ": this version does not support it yet";
    if (enabled_)
      found_.error("not-yet", config::Span(place), message, "remove it, or use a version that has it");
    else
      found_.warning("not-yet", config::Span(place), message,
                     "no profile enables this service: it matters when it is started by name");
  }

  config::Diagnostics& found_;
  bool enabled_ = true;
};

}  // namespace

void refuse_unsupported(config::Loaded& loaded) {
  if (loaded.diagnostics.has_errors()) return;
  Collector collector(loaded.diagnostics);
  for (const config::Service& service : loaded.stack.services) {
    collector.service(service);
  }
  loaded.diagnostics.finish();
}

}  // namespace belfry::daemon
