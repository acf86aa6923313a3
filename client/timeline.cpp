#include "client/timeline.hpp"

#include <boost/json.hpp>

namespace belfry::client {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().begin(), value->get_string().end()};
}

std::optional<std::int64_t> moment_of(const json::object& object, const std::string& name) {
  const json::value* value = object.if_contains(name + "_monotonic_ns");
  return value != nullptr && value->is_int64() ? std::optional(value->get_int64()) : std::nullopt;
}

const json::array* list_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  return value == nullptr ? nullptr : value->if_array();
}

TimelineService service_of(const json::object& object) {
  TimelineService service{.name = text_of(object, "name"),
                          .state = text_of(object, "state"),
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
                             .holds_since_ns = moment_of(one.get_object(), "holds_since")});
  }
  return service;
}

}  // namespace

std::optional<TimelineReply> read_timeline(std::string_view body) {
  json::error_code error;
  const json::value value = json::parse(json::string_view(body.data(), body.size()), error);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
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
