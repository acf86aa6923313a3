#include "config/load/unsupported.hpp"

#include <string_view>

namespace belfry::config {

namespace {

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
  explicit Collector(Diagnostics& found) : found_(found) {}

  void service(const Service& s) {
    enabled_ = s.enabled;
    probes(s, s.ready);
    refuse(s, s.ready.probes.size() > 32, "more than 32 probes in one `ready`");  // Record::truths is a word
    if (s.live) probes(s, *s.live);
    if (!s.extras) return;
    const ServiceExtras& e = *s.extras;
    for (const OwnBell& bell : e.bells) probes(s, bell.probes);
    refuse(s, e.bells.size() > 32, "more than 32 own bells");  // Record::rung is a word
    refuse(s, e.tty && e.log.inherit, "`tty` together with `log: inherit`");
    refuse(s, !e.log.file.empty() || e.log.format != LogFormat::text || e.log.overflow != LogOverflow::drop,
           "`log` beyond standard output");
  }

 private:
  void probes(const Service& s, const ProbeSet& set) {
    for (const Probe& p : set.probes) {
      const bool tls = p.kind == Probe::Kind::http && p.target.starts_with("https://");
      const auto what =
          tls ? std::string_view("`https` in a probe (next step: `http`, or `exec: [curl, -fsS, …]`)")
              : missing_probe(p.kind);
      if (!what.empty()) refuse_at(p.place.line != 0 ? p.place : s.place, what);
    }
  }
  void refuse(const Service& s, bool used, std::string_view what) {
    if (used) refuse_at(s.place, what);
  }
  void refuse_at(const Place& place, std::string_view what) {
    const std::string message = "cannot use " + std::string(what) + ": this version does not support it yet";
    if (enabled_)
      found_.error("not-yet", Span(place), message, "remove it, or use a version that has it");
    else
      found_.warning("not-yet", Span(place), message,
                     "no profile enables this service: it matters when it is started by name");
  }

  Diagnostics& found_;
  bool enabled_ = true;
};

}  // namespace

void refuse_unsupported(Loaded& loaded) {
  if (loaded.diagnostics.has_errors()) return;
  Collector collector(loaded.diagnostics);
  for (const Service& service : loaded.stack.services) {
    collector.service(service);
  }
  loaded.diagnostics.finish();
}

}  // namespace belfry::config
