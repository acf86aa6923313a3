#include "daemon/service/description.hpp"

#include "config/model/duration.hpp"

namespace belfry::daemon {

namespace {

constexpr std::string_view kind_names[] = {"listen", "port", "unix", "notify",   "fd",
                                           "tcp",    "http", "grpc", "postgres", "mysql",
                                           "redis",  "exec", "log",  "file",     "cluster"};
static_assert(std::size(kind_names) == static_cast<std::size_t>(config::Probe::Kind::cluster) + 1);

std::string whole_seconds(TimePoint until, TimePoint since) {
  return config::to_string(std::chrono::floor<std::chrono::seconds>(until - since));
}

}  // namespace

std::vector<std::string> waiting_for(const Service& service) {
  std::vector<std::string> missing;
  const State state = service.state();
  if (state != State::waiting && state != State::blocked) return missing;
  for (const Edge& edge : service.edges()) {
    if (!edge.lets_start()) missing.push_back(edge.text());
  }
  const StartSlots& slots = service.start_slots();
  if (missing.empty() && state == State::waiting && slots.full())
    missing.push_back("one of " + std::to_string(slots.used()) + " starting services");
  return missing;
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
  const TimePoint now = service.now();
  std::string text(service.name());
  if (record.state == State::stopping) {
    text += " to stop (" + whole_seconds(now, record.since) + "): " + text_of(service.survivors());
    const TimePoint deadline = service.kill_deadline();
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
  return kind_names[static_cast<std::size_t>(service.spec().ready.probes.front().kind)];
}

std::string readiness_method(const Service& service) {
  std::string all;
  const auto& probes = service.spec().ready.probes;
  for (std::uint32_t i = 0; i < probes.size(); ++i) {
    const std::string own = service.readiness() ? service.readiness()->method_of(i) : std::string();
    all += i == 0 ? "" : ", ";
    all += own.empty() ? kind_names[static_cast<std::size_t>(probes[i].kind)] : own;
  }
  return all;
}

}  // namespace belfry::daemon
