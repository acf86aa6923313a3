// What the outside sees of the stack, and who keeps it from being ready.
#include <algorithm>
#include <map>

#include "config/model/enum_names.hpp"
#include "config/model/output_reference.hpp"
#include "daemon/service/description.hpp"
#include "daemon/supervisor/schedules.hpp"
#include "daemon/supervisor/supervisor.hpp"

namespace belfry::daemon {

namespace {

std::vector<CertificateView> certificates_of(const Readiness* readiness) {
  std::vector<CertificateView> all;
  if (readiness == nullptr) return all;
  for (const CertificateExpiry& one : readiness->certificates()) {
    const char* const set = one.role == ProbeRole::live ? "live " : "ready ";
    all.push_back({.probe = set + std::to_string(one.index) + " " + std::string(config::name_of(one.kind)),
                   .expiry = one.at});
  }
  return all;
}

}  // namespace

ServiceView Supervisor::service(std::size_t index) const {
  const Service& service = *services_[index];
  const Record& record = service.record();
  ServiceView view;
  view.name = service.name();
  view.type = service.spec().type;
  view.state = record.state;
  view.ready = service.default_level();
  view.wanted = record.wanted;
  view.ignored_by_health = service.spec().extras && service.spec().extras->health_ignore;
  if (const pid_t pid = service.main_pid(); pid != 0) view.pid = pid;
  view.since = record.since;
  view.incarnation = record.runs;
  view.restarts = service.counters().restarts();
  if (service.spec().extras) {
    const auto& bells = service.spec().extras->bells;
    for (std::size_t i = 0; i < bells.size(); ++i)
      view.bells.push_back({.name = bells[i].name,
                            .rung = service.readiness() != nullptr && service.readiness()->has_rung(i)});
  }
  for (const PublishedOutput& one : service.outputs())
    view.outputs.push_back({.key = one.key, .value = one.secret ? "***" : one.value});
  view.waiting_for = waiting_for(service);
  view.waiting_for_services = waiting_for_services(service);
  view.last_error = last_error(service);
  view.status_text = record.run.said.status();
  view.readiness_kind = readiness_kind(service);
  view.readiness_method = readiness_method(service);
  if (service.readiness() != nullptr) view.readiness_polling = service.readiness()->polling();
  if (record.run.ready_at) view.time_to_ready = *record.run.ready_at - record.run.started_at;
  view.counters = service.counters();
  view.notify = service.tally();
  view.certificates = certificates_of(service.readiness());
  view.schedule = schedules_->view(service);
  return view;
}

OutputList Supervisor::output_variables(std::vector<std::string>& ambiguous) const {
  struct Variable {
    std::string value, of, others;
  };
  std::map<std::string, Variable> all;
  for (const auto& service : services_) {
    for (const PublishedOutput& one : service->outputs()) {
      const config::OutputName output{.service = service->name(), .key = one.key};
      const auto [known, is_new] = all.try_emplace(config::output_variable(output));
      Variable& variable = known->second;
      if (is_new)
        variable = {.value = std::string(one.value), .of = config::written_out(output), .others = {}};
      else
        variable.others += " and " + config::written_out(output);
    }
  }
  OutputList variables;
  for (auto& [name, variable] : all) {
    if (variable.others.empty())
      variables.emplace_back(name, std::move(variable.value));
    else
      ambiguous.push_back(name + " is not set: it would be " + variable.of + variable.others);
  }
  return variables;
}

std::optional<std::size_t> Supervisor::find(std::string_view name) const {
  const auto name_at = [this](std::uint32_t i) { return services_[i]->name(); };
  const auto it = std::ranges::lower_bound(by_name_, name, {}, name_at);
  return it == by_name_.end() || name_at(*it) != name ? std::nullopt : std::optional<std::size_t>(*it);
}

std::optional<std::string> Supervisor::start_is_hopeless() const {
  constexpr std::uint32_t most_failures = 5;
  for (const auto& service : services_) {
    const Record& record = service->record();
    if (!counted_unready_[service->index()]) continue;
    if (is_settled(record.state) && !record.start_requested && !schedules_->will_start(*service))
      return "the stack will not be ready";
    if (record.history.attempts >= most_failures && !record.has_been_ready) {
      return std::string(service->name()) + " has failed " + std::to_string(record.history.attempts) +
             " times and was never ready";
    }
  }
  return std::nullopt;
}

Waits Supervisor::long_waits(std::size_t most) const {
  std::vector<const Service*> behind;  // who waits for others
  std::vector<const Service*> named;
  for (const auto& service : services_) {
    const State state = service->state();
    if (state != State::stopping && !counted_unready_[service->index()]) continue;
    if (is_settled(state) && state != State::blocked && !service->record().start_requested)
      continue;  // nobody waits
    (state == State::waiting || state == State::blocked ? behind : named).push_back(service.get());
  }
  if (named.empty()) named = std::move(behind);
  Waits waits{.lines = {}, .total = named.size()};
  named.resize(std::min(named.size(), most));
  for (const Service* service : named) waits.lines.push_back("still waiting for " + wait_text(*service));
  return waits;
}

}  // namespace belfry::daemon
