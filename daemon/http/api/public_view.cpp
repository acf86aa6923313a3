#include "daemon/http/api/public_view.hpp"

namespace belfry::daemon::http {

ServiceView PublicView::service(std::size_t index) const {
  const ServiceView all = whole_.service(index);
  ServiceView shown;
  shown.name = all.name;
  shown.type = all.type;
  shown.state = all.state;
  shown.ready = all.ready;
  shown.wanted = all.wanted;
  shown.ignored_by_health = all.ignored_by_health;
  shown.pid = all.pid;
  shown.since = all.since;
  shown.incarnation = all.incarnation;
  shown.restarts = all.restarts;
  shown.bells = all.bells;
  shown.waiting_for = all.waiting_for;
  shown.waiting_for_services = all.waiting_for_services;
  shown.readiness_kind = all.readiness_kind;
  shown.time_to_ready = all.time_to_ready;
  shown.counters = all.counters;
  shown.notify = all.notify;
  return shown;
}

// Who waits for whom and for how long, and which limits there are; no words.
StackFacts PublicView::why_facts(std::optional<std::size_t> service) const {
  StackFacts shown = whole_.why_facts(service);
  for (ServiceFacts& one : shown.services) {
    one.is_hidden = true;
    one.words.clear();
    if (!one.news.empty()) one.news = "news of another host";
    one.finding.clear();
    one.taken_port = 0;
    one.taken_by = 0;
    one.probe_error.clear();
    one.method.clear();
    one.status.clear();
    one.survivors.clear();
    one.log.clear();
  }
  return shown;
}

}  // namespace belfry::daemon::http
