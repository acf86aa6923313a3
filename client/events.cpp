#include "client/events.hpp"

#include "client/json_members.hpp"

namespace belfry::client {
namespace {

namespace json = boost::json;

std::int64_t count_of(const json::object& object, std::string_view name) {
  return number_of(object, name).value_or(0);
}

EventRecord event_of(const json::object& object) {
  EventRecord event{.json = json::serialize(object),
                    .sequence = count_of(object, "sequence"),
                    .monotonic_ns = count_of(object, "monotonic_ns"),
                    .incarnation = count_of(object, "incarnation"),
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
  event.port = count_of(evidence->get_object(), "port");
  event.pid = count_of(evidence->get_object(), "pid");
  return event;
}

}  // namespace

std::optional<EventRecord> read_event(std::string_view text) {
  const auto object = object_in(text);
  if (!object) return std::nullopt;
  return event_of(*object);
}

std::optional<EventPage> read_event_page(std::string_view body) {
  const auto read = object_in(body);
  if (!read) return std::nullopt;
  const json::object& object = *read;
  const json::array* events = list_of(object, "events");
  if (events == nullptr) return std::nullopt;
  EventPage page{.events = {},
                 .run = text_of(object, "run"),
                 .missed = count_of(object, "missed"),
                 .since = count_of(object, "since")};
  page.more = flag_of(object, "more");
  for (const json::value& event : *events) {
    if (event.is_object()) page.events.push_back(event_of(event.get_object()));
  }
  return page;
}

}  // namespace belfry::client
