#include "client/log_lines.hpp"

#include <boost/json.hpp>

#include "client/json.hpp"

namespace belfry::client {
namespace {

namespace json = boost::json;

json::object object_of(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  return !error && value.is_object() ? value.get_object() : json::object();
}

std::string text_of(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().begin(), value->get_string().end()};
}

bool flag_of(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::optional<std::int64_t> number_of(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

}  // namespace

std::optional<LogLine> read_log_line(std::string_view text) {
  const json::object object = object_of(text);
  if (!object.contains("line")) return std::nullopt;
  return LogLine{.json = std::string(text),
                 .time = text_of(object, "time"),
                 .service = text_of(object, "service"),
                 .stream = text_of(object, "stream"),
                 .line = text_of(object, "line"),
                 .incarnation = number_of(object, "incarnation").value_or(0),
                 .continued = flag_of(object, "continued"),
                 .goes_on = flag_of(object, "goes_on")};
}

MissedLines read_missed_lines(std::string_view text) {
  const json::object object = object_of(text);
  return {.service = text_of(object, "service"),
          .count = number_of(object, "missed"),
          .because = text_of(object, "because")};
}

}  // namespace belfry::client
