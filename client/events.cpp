#include "client/events.hpp"

#include <boost/json.hpp>

namespace belfry::client {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().begin(), value->get_string().end()};
}

std::int64_t number_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

EventRecord event_of(const json::object& object) {
  EventRecord event{.json = json::serialize(object),
                    .sequence = number_of(object, "sequence"),
                    .monotonic_ns = number_of(object, "monotonic_ns"),
                    .time = text_of(object, "time"),
                    .kind = text_of(object, "kind"),
                    .service = text_of(object, "service"),
                    .from = text_of(object, "from"),
                    .state = text_of(object, "state"),
                    .bell = text_of(object, "bell"),
                    .event = text_of(object, "event"),
                    .cause = text_of(object, "cause"),
                    .probe = {},
                    .words = {}};
  const json::value* evidence = object.if_contains("evidence");
  if (evidence == nullptr || !evidence->is_object()) return event;
  event.has_evidence = true;
  event.probe = text_of(evidence->get_object(), "probe");
  event.words = text_of(evidence->get_object(), "words");
  event.port = number_of(evidence->get_object(), "port");
  event.pid = number_of(evidence->get_object(), "pid");
  return event;
}

json::value parsed(std::string_view text) {
  json::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  return error ? json::value() : value;
}

}  // namespace

std::optional<EventRecord> read_event(std::string_view text) {
  const json::value value = parsed(text);
  if (!value.is_object()) return std::nullopt;
  return event_of(value.get_object());
}

std::optional<EventPage> read_event_page(std::string_view body) {
  const json::value value = parsed(body);
  if (!value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  const json::value* events = object.if_contains("events");
  if (events == nullptr || !events->is_array()) return std::nullopt;
  EventPage page{.events = {},
                 .run = text_of(object, "run"),
                 .missed = number_of(object, "missed"),
                 .since = number_of(object, "since")};
  const json::value* more = object.if_contains("more");
  page.more = more != nullptr && more->is_bool() && more->get_bool();
  for (const json::value& event : events->get_array()) {
    if (event.is_object()) page.events.push_back(event_of(event.get_object()));
  }
  return page;
}

}  // namespace belfry::client
