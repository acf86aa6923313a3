#include "client/json.hpp"

#include <boost/json.hpp>

namespace belfry::client {
namespace {

namespace json = boost::json;

std::string text_of(const json::value* value) {
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string().begin(), value->get_string().end());
}

std::int64_t number_of(const json::value* value) {
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

bool truth_of(const json::value* value) { return value != nullptr && value->is_bool() && value->get_bool(); }

std::vector<std::string> list_of(const json::value* value) {
  std::vector<std::string> list;
  if (value == nullptr || !value->is_array()) return list;
  for (const json::value& element : value->get_array()) list.push_back(text_of(&element));
  return list;
}

json::value parsed(std::string_view text) {
  json::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  return error ? json::value() : value;
}

std::vector<std::pair<std::string, std::int64_t>> refusals_of(const json::value* notify) {
  std::vector<std::pair<std::string, std::int64_t>> refusals;
  if (notify == nullptr || !notify->is_object()) return refusals;
  const json::value* refused = notify->get_object().if_contains("refused");
  if (refused == nullptr || !refused->is_object()) return refusals;
  for (const auto& [why, count] : refused->get_object())
    refusals.emplace_back(std::string(why.begin(), why.end()), number_of(&count));
  return refusals;
}

std::optional<ScheduleStatus> schedule_of(const json::value* value) {
  if (value == nullptr || !value->is_object()) return std::nullopt;
  const json::object& object = value->get_object();
  ScheduleStatus schedule;
  schedule.text = text_of(object.if_contains("text"));
  if (const json::value* next = object.if_contains("next_run_monotonic_ns");
      next != nullptr && next->is_int64())
    schedule.next_ns = next->get_int64();
  schedule.queued = truth_of(object.if_contains("queued"));
  schedule.missed = number_of(object.if_contains("missed"));
  schedule.skipped = number_of(object.if_contains("skipped"));
  return schedule;
}

ServiceStatus service_of(const json::object& object) {
  ServiceStatus service;
  service.name = text_of(object.if_contains("name"));
  service.type = text_of(object.if_contains("type"));
  service.state = text_of(object.if_contains("state"));
  service.ready = truth_of(object.if_contains("ready"));
  service.wanted = truth_of(object.if_contains("wanted"));
  if (const json::value* pid = object.if_contains("pid"); pid != nullptr && pid->is_int64())
    service.pid = pid->get_int64();
  service.since_ns = number_of(object.if_contains("since_monotonic_ns"));
  service.restarts = number_of(object.if_contains("restarts"));
  service.waiting_for = list_of(object.if_contains("waiting_for"));
  if (const json::value* bells = object.if_contains("bells"); bells != nullptr && bells->is_object()) {
    for (const auto& bell : bells->get_object())
      service.bells.emplace_back(std::string(bell.key().begin(), bell.key().end()), truth_of(&bell.value()));
  }
  if (const json::value* outputs = object.if_contains("outputs");
      outputs != nullptr && outputs->is_object()) {
    for (const auto& output : outputs->get_object())
      service.outputs.emplace_back(std::string(output.key().begin(), output.key().end()),
                                   text_of(&output.value()));
  }
  service.last_error = text_of(object.if_contains("last_error"));
  service.waiting_for_services = list_of(object.if_contains("waiting_for_services"));
  service.readiness_polling = text_of(object.if_contains("readiness_polling"));
  service.readiness_method = text_of(object.if_contains("readiness_method"));
  service.status_text = text_of(object.if_contains("status_text"));
  if (const json::value* took = object.if_contains("time_to_ready_ns"); took != nullptr && took->is_int64())
    service.time_to_ready_ns = took->get_int64();
  service.schedule = schedule_of(object.if_contains("schedule"));
  service.notify_refused = refusals_of(object.if_contains("notify"));
  return service;
}

std::vector<SourceFile> files_of(const json::value* list) {
  std::vector<SourceFile> files;
  if (list == nullptr || !list->is_array()) return files;
  for (const json::value& element : list->get_array()) {
    if (!element.is_object()) continue;
    const json::object& file = element.get_object();
    files.push_back({text_of(file.if_contains("path")), number_of(file.if_contains("modified_ns"))});
  }
  return files;
}

}  // namespace

std::optional<StackStatus> read_status(std::string_view body) {
  const json::value value = parsed(body);
  if (!value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  const json::value* services = object.if_contains("services");
  if (services == nullptr || !services->is_array()) return std::nullopt;
  StackStatus status;
  status.stack = text_of(object.if_contains("stack"));
  status.hopeless = text_of(object.if_contains("hopeless"));
  status.files = files_of(object.if_contains("files"));
  status.ready = truth_of(object.if_contains("ready"));
  status.shutting_down = truth_of(object.if_contains("shutting_down"));
  status.now_ns = number_of(object.if_contains("now_monotonic_ns"));
  for (const json::value& service : services->get_array()) {
    if (service.is_object()) status.services.push_back(service_of(service.get_object()));
  }
  return status;
}

std::vector<PastRun> read_past_runs(std::string_view body) {
  std::vector<PastRun> runs;
  const json::value value = parsed(body);
  const json::value* list = value.is_object() ? value.get_object().if_contains("past_runs") : nullptr;
  if (list == nullptr || !list->is_array()) return runs;
  for (const json::value& element : list->get_array()) {
    if (!element.is_object()) continue;
    const json::object& object = element.get_object();
    PastRun run{.number = number_of(object.if_contains("incarnation")),
                .started_ns = number_of(object.if_contains("started_monotonic_ns")),
                .wall_ns = number_of(object.if_contains("wall_ns")),
                .cpu_ns = number_of(object.if_contains("cpu_user_ns")) +
                          number_of(object.if_contains("cpu_system_ns")),
                .oom_kills = number_of(object.if_contains("oom_kills")),
                .peak_memory = {},
                .peak_is_bound = truth_of(object.if_contains("peak_memory_is_bound")),
                .end = text_of(object.if_contains("end"))};
    if (const json::value* peak = object.if_contains("peak_memory_bytes");
        peak != nullptr && peak->is_int64())
      run.peak_memory = peak->get_int64();
    runs.push_back(std::move(run));
  }
  return runs;
}

std::string text_member(std::string_view object, std::string_view name) {
  const json::value value = parsed(object);
  if (!value.is_object()) return {};
  return text_of(value.get_object().if_contains(json::string_view(name.data(), name.size())));
}

std::int64_t number_member(std::string_view object, std::string_view name) {
  const json::value value = parsed(object);
  if (!value.is_object()) return 0;
  return number_of(value.get_object().if_contains(json::string_view(name.data(), name.size())));
}

std::vector<std::string> list_member(std::string_view object, std::string_view name) {
  const json::value value = parsed(object);
  if (!value.is_object()) return {};
  return list_of(value.get_object().if_contains(json::string_view(name.data(), name.size())));
}

}  // namespace belfry::client
