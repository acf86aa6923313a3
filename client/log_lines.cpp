#include "client/log_lines.hpp"

#include "client/json_members.hpp"

namespace belfry::client {
namespace {

namespace json = boost::json;

json::object object_of(std::string_view text) { return object_in(text).value_or(json::object()); }

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
