#include "daemon/service/description.hpp"

#include "config/model/duration.hpp"
#include "config/model/enum_names.hpp"
#include "daemon/service/stop_rules.hpp"

namespace belfry::daemon {

namespace {

bool waits(const Service& service) {
  return service.state() == State::waiting || service.state() == State::blocked;
}

std::string whole_seconds(TimePoint until, TimePoint since) {
  return config::to_string(std::chrono::floor<std::chrono::seconds>(until - since));
}

}  // namespace

std::vector<std::string> waiting_for(const Service& service) {
  std::vector<std::string> missing;
  if (!waits(service)) return missing;
  for (const Edge& edge : service.edges()) {
    if (!edge.lets_start()) missing.push_back(edge.text());
  }
  for (const Service* remote : service.awaited_news()) {
    const Error doubt = remote->doubt();
    missing.push_back("news of " + std::string(remote->name()) +
                      (doubt ? ": " + doubt.text() : std::string()));
  }
  const StartSlots& slots = service.start_slots();
  if (missing.empty() && service.state() == State::waiting && slots.full())
    missing.push_back("one of " + std::to_string(slots.used()) + " starting services");
  return missing;
}

std::vector<std::string_view> waiting_for_services(const Service& service) {
  std::vector<std::string_view> names;
  if (!waits(service)) return names;
  for (const Edge& edge : service.edges()) {
    if (!edge.lets_start()) names.push_back(edge.on->name());
  }
  for (const Service* remote : service.awaited_news()) names.push_back(remote->name());
  return names;
}

// What keeps a starting service from being ready is news; why it starts, or what kept a ready one, is
// history.
std::string last_error(const Service& service) {
  const State state = service.state();
  const Readiness* readiness = service.readiness();
  const bool asks = state == State::starting || state == State::unready;
  if (asks && readiness != nullptr && readiness->last_error()) return readiness->last_error().text();
  if (const Error& cause = service.record().cause) return cause.text();
  if (state != State::starting) return {};
  return missing_news(service.spec().ready, readiness == nullptr ? 0 : readiness->truths());
}

std::string wait_text(const Service& service) {
  const Record& record = service.record();
  const TimePoint now = service.moment().at;
  std::string text(service.name());
  if (record.state == State::stopping) {
    text += " to stop (" + whole_seconds(now, record.since) + "): " + text_of(service.survivors());
    const TimePoint deadline = kill_deadline(record, service.spec(), service.moment());
    return text +
           (deadline > now ? "; killed in " + whole_seconds(deadline, now) : "; killed, and still there");
  }
  text += " (" + std::string(name_of(record.state)) + " " + whole_seconds(now, record.since);
  if (record.history.attempts > 0) text += ", failed " + std::to_string(record.history.attempts) + " times";
  text += ")";
  std::string why = last_error(service);
  if (why.empty()) {
    for (const std::string& missing : waiting_for(service))
      why += (why.empty() ? "waits for " : ", ") + missing;
  }
  return why.empty() ? text : text + ": " + why;
}

std::string_view readiness_kind(const Service& service) {
  if (service.spec().ready.empty()) return {};
  return config::name_of(service.spec().ready.probes.front().kind);
}

std::string readiness_method(const Service& service) {
  std::string all;
  const auto& probes = service.spec().ready.probes;
  for (std::uint32_t i = 0; i < probes.size(); ++i) {
    const std::string own = service.readiness() ? service.readiness()->method_of(i) : std::string();
    all += i == 0 ? "" : ", ";
    all += own.empty() ? config::name_of(probes[i].kind) : own;
  }
  return all;
}

}  // namespace belfry::daemon
