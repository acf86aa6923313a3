// /v1/timeline: when each service came how far.
#include "config/model/enum_names.hpp"
#include "daemon/http/api/events.hpp"

namespace belfry::daemon::http {
namespace {

// "ready": "2026-…", "ready_monotonic_ns": …; both null for what has not been.
class Moments {
 public:
  Moments(JsonWriter& json, WallClock& clock, TimePoint now) : json_(json), clock_(clock), now_(now) {}

  void write(std::string_view name, std::optional<TimePoint> at) {
    std::string text;
    if (at) append_rfc3339(text, clock_.at(*at, now_));
    json_.key(name).string_or_null(text);
    json_.key(std::string(name) + "_monotonic_ns");
    at ? json_.number(at->time_since_epoch().count()) : json_.null();
  }

 private:
  JsonWriter& json_;
  WallClock& clock_;
  TimePoint now_;
};

void write_edges(JsonWriter& json, Moments& moments, const std::vector<EdgeTimeView>& edges) {
  json.key("edges").begin_array();
  for (const EdgeTimeView& edge : edges) {
    json.begin_object();
    json.key("on").string(edge.on);
    json.key("condition").string(edge.condition);
    json.key("required").boolean(edge.required);
    moments.write("holds_since", edge.holds_since);
    json.end_object();
  }
  json.end_array();
}

void write_service(JsonWriter& json, Moments& moments, const ServiceView& service,
                   const TimelineView& times) {
  json.begin_object();
  json.key("name").string(service.name);
  json.key("type").string(config::name_of(service.type));
  json.key("state").string(name_of(service.state));
  json.key("incarnation").number(times.incarnation);
  json.key("attempts").number(times.attempts);
  moments.write("wanted", times.wanted);
  moments.write("waiting", times.waiting);
  moments.write("starting", times.starting);
  moments.write("started", times.started);
  moments.write("ready", times.ready);
  moments.write("stopped", times.stopped);
  write_edges(json, moments, times.edges);
  json.end_object();
}

}  // namespace

Response show_timeline(const StackView& stack, WallClock& clock) {
  const TimePoint now = stack.now();
  Response response = json(200, {});
  JsonWriter json(response.body);
  Moments moments(json, clock, now);
  const StartView start = stack.start();
  json.begin_object();
  json.key("stack").string(stack.stack_name());
  json.key("now_monotonic_ns").number(now.time_since_epoch().count());
  moments.write("begun", start.begun);
  moments.write("up", start.up);
  json.key("services").begin_array();
  for (const std::size_t i : stack.shown()) write_service(json, moments, stack.service(i), stack.timeline(i));
  json.end_array();
  json.end_object();
  response.body += '\n';
  return response;
}

}  // namespace belfry::daemon::http
