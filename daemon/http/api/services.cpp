#include "daemon/http/api/services.hpp"
#include "daemon/http/api/unknown_name.hpp"

#include "config/model/enum_names.hpp"
#include "daemon/http/wire/json_writer.hpp"

namespace belfry::daemon::http {
namespace {

void write_count(JsonWriter& json, std::string_view name, std::uint64_t value) {
  json.key(name).number(static_cast<std::int64_t>(value));
}

// What the service's notify socket has seen; null: nothing that anybody need know.
void write_notify(JsonWriter& json, const NotifyTally& tally) {
  json.key("notify");
  if (tally.refused_in_all() == 0 && tally.descriptors_refused == 0 && tally.descriptors_stored == 0)
    return json.null();
  json.begin_object();
  json.key("refused").begin_object();
  for (std::size_t why = 0; why < tally.refused.size(); ++why) {
    if (tally.refused[why] > 0)
      write_count(json, name_of(static_cast<NotifyRefusal>(why)), tally.refused[why]);
  }
  json.end_object();
  write_count(json, "descriptors_stored", tally.descriptors_stored);
  write_count(json, "descriptors_refused", tally.descriptors_refused);
  json.end_object();
}

// Of a oneshot that runs by itself.
void write_schedule(JsonWriter& json, const std::optional<ScheduleView>& schedule, TimePoint now,
                    WallClock& clock) {
  if (!schedule) return;
  std::string next;
  if (schedule->next) append_rfc3339(next, clock.at(*schedule->next, now));
  json.key("schedule").begin_object();
  json.key("text").string(schedule->text);
  json.key("next_run").string_or_null(next);
  json.key("next_run_monotonic_ns");
  schedule->next ? json.number(schedule->next->time_since_epoch().count()) : json.null();
  json.key("queued").boolean(schedule->is_queued);
  write_count(json, "missed", schedule->missed);
  write_count(json, "skipped", schedule->skipped);
  json.end_object();
}

void write_fields(JsonWriter& json, const ServiceView& service, TimePoint now, WallClock& clock) {
  std::string since;
  append_rfc3339(since, clock.at(service.since, now));
  json.key("name").string(service.name);
  json.key("type").string(config::name_of(service.type));
  json.key("state").string(name_of(service.state));
  json.key("ready").boolean(service.ready);
  json.key("wanted").boolean(service.wanted);
  json.key("pid");
  service.pid ? json.number(*service.pid) : json.null();
  json.key("since").string(since);
  json.key("since_monotonic_ns").number(service.since.time_since_epoch().count());
  write_count(json, "incarnation", service.incarnation);
  write_count(json, "restarts", service.restarts);
  if (!service.bells.empty()) {
    json.key("bells").begin_object();
    for (const BellView& bell : service.bells) json.key(bell.name).boolean(bell.rung);
    json.end_object();
  }
  if (!service.outputs.empty()) {
    json.key("outputs").begin_object();
    for (const OutputView& one : service.outputs) json.key(one.key).string(one.value);
    json.end_object();
  }
  json.key("waiting_for").begin_array();
  for (const std::string& edge : service.waiting_for) json.string(edge);
  json.end_array();
  json.key("waiting_for_services").begin_array();
  for (const std::string_view name : service.waiting_for_services) json.string(name);
  json.end_array();
  json.key("last_error").string_or_null(service.last_error);
  json.key("status_text").string_or_null(service.status_text);
  json.key("readiness_method").string_or_null(service.readiness_method);
  json.key("readiness_polling").string_or_null(service.readiness_polling);
  write_notify(json, service.notify);
  json.key("time_to_ready_ns");
  service.time_to_ready ? json.number(service.time_to_ready->count()) : json.null();
  write_schedule(json, service.schedule, now, clock);
}

// For whoever may see them: whether the start is in vain, and which files would have to be read again.
void write_for_operators(JsonWriter& json, const StackView& stack) {
  if (const auto hopeless = stack.start_is_hopeless()) json.key("hopeless").string(*hopeless);
  const std::vector<SourceFile> files = stack.sources();
  if (files.empty()) return;
  json.key("files").begin_array();
  for (const SourceFile& file : files) {
    json.begin_object();
    json.key("path").string(file.path);
    json.key("modified_ns").number(file.modified);
    json.end_object();
  }
  json.end_array();
}

// What a run took that is over.
void write_past_run(JsonWriter& json, const PastRun& run, TimePoint now, WallClock& clock) {
  std::string started;
  append_rfc3339(started, clock.at(TimePoint(run.started_at), now));
  json.begin_object();
  write_count(json, "incarnation", run.number);
  json.key("started").string(started);
  json.key("started_monotonic_ns").number(run.started_at.count());
  json.key("wall_ns").number(run.wall.count());
  json.key("time_to_ready_ns");
  run.ready_after ? json.number(run.ready_after->count()) : json.null();
  json.key("cpu_user_ns").number(run.cpu_user.count());
  json.key("cpu_system_ns").number(run.cpu_system.count());
  json.key("peak_memory_bytes");
  run.peak_memory > 0 ? json.number(static_cast<std::int64_t>(run.peak_memory)) : json.null();
  json.key("peak_memory_is_bound").boolean(run.peak_is_bound);
  write_count(json, "oom_kills", run.oom_kills);
  json.key("end").string_or_null(run.end);
  json.end_object();
}

}  // namespace

void write_service(JsonWriter& json, const ServiceView& service, TimePoint now, WallClock& clock) {
  json.begin_object();
  write_fields(json, service, now, clock);
  json.end_object();
}

Response list_services(const StackView& stack, WallClock& clock, bool may_command) {
  constexpr std::size_t bytes_per_service = 400;
  const TimePoint now = stack.now();
  Response response = json(200, {});
  response.body.reserve(256 + stack.service_count() * bytes_per_service);
  JsonWriter json(response.body);
  json.begin_object();
  json.key("stack").string(stack.stack_name());
  json.key("ready").boolean(stack.stack_ready());
  json.key("started_up").boolean(stack.started_up());
  json.key("shutting_down").boolean(stack.shutting_down());
  json.key("may_command").boolean(may_command);
  json.key("now_monotonic_ns").number(now.time_since_epoch().count());
  write_for_operators(json, stack);
  json.key("services").begin_array();
  for (const std::size_t index : stack.shown()) {
    write_service(json, stack.service(index), now, clock);
  }
  json.end_array();
  json.end_object();
  response.body += '\n';
  return response;
}

Response show_service(const StackView& stack, std::string_view name, WallClock& clock) {
  const auto index = stack.find(name);
  if (!index) return no_such_service(stack, name);
  Response response = json(200, {});
  JsonWriter json(response.body);
  const TimePoint now = stack.now();
  json.begin_object();
  write_fields(json, stack.service(*index), now, clock);
  json.key("past_runs").begin_array();
  for (const PastRun& run : stack.past_runs(*index)) write_past_run(json, run, now, clock);
  json.end_array();
  json.end_object();
  response.body += '\n';
  return response;
}

}  // namespace belfry::daemon::http
