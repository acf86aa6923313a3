#include "client/timeline.hpp"

#include "client/json_members.hpp"

namespace belfry::client {
namespace {

namespace json = boost::json;

std::optional<std::int64_t> moment_of(const json::object& object, const std::string& name) {
  return number_of(object, name + "_monotonic_ns");
}

TimelineService service_of(const json::object& object) {
  TimelineService service{.name = text_of(object, "name"),
                          .state = text_of(object, "state"),
                          .incarnation = number_of(object, "incarnation").value_or(0),
                          .wanted_ns = moment_of(object, "wanted"),
                          .starting_ns = moment_of(object, "starting"),
                          .started_ns = moment_of(object, "started"),
                          .ready_ns = moment_of(object, "ready"),
                          .stopped_ns = moment_of(object, "stopped"),
                          .edges = {}};
  const json::array* edges = list_of(object, "edges");
  if (edges == nullptr) return service;
  for (const json::value& one : *edges) {
    if (!one.is_object()) continue;
    service.edges.push_back({.on = text_of(one.get_object(), "on"),
                             .condition = text_of(one.get_object(), "condition"),
                             .required = flag_of(one.get_object(), "required"),
                             .holds_since_ns = moment_of(one.get_object(), "holds_since")});
  }
  return service;
}

}  // namespace

std::optional<TimelineReply> read_timeline(std::string_view body) {
  const auto read = object_in(body);
  if (!read) return std::nullopt;
  const json::object& object = *read;
  const json::array* services = list_of(object, "services");
  if (services == nullptr) return std::nullopt;
  TimelineReply reply{.stack = text_of(object, "stack"),
                      .begun = text_of(object, "begun"),
                      .begun_ns = moment_of(object, "begun"),
                      .up_ns = moment_of(object, "up"),
                      .services = {}};
  for (const json::value& one : *services) {
    if (one.is_object()) reply.services.push_back(service_of(one.get_object()));
  }
  return reply;
}

}  // namespace belfry::client
