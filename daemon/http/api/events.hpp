// /v1/events: what has happened, as one answer or as a stream of server-sent events; and /v1/timeline.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/http/wire/body_stream.hpp"
#include "daemon/http/wire/json_writer.hpp"
#include "daemon/http/wire/message.hpp"
#include "daemon/http/wire/wall_clock.hpp"
#include "daemon/journal/journal.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon::http {

// Which events somebody wants to see.
struct EventFilter {
  std::vector<std::string> services;  // empty: those of all, and of the stack
  std::uint8_t kinds = 0xFF;          // bit n: EventKind n
  [[nodiscard]] bool shows(const JournalEvent& event) const;
};

// GET /v1/events, understood.
struct FollowEvents {
  EventFilter filter;
  Sequence next = 1;      // the first that it has not seen
  std::string unknown;    // why nobody knows how many it has missed; empty: that is known
  bool in_public = true;  // without what a service, a probe or the system said in words
};

// A mistake or the one answer is a Response. `Accept: application/json` asks for it; what follows as it
// happens is for the stream, which also `Last-Event-ID` belongs to.
[[nodiscard]] std::variant<Response, FollowEvents> understand_events(const Request& request,
                                                                     std::string_view query,
                                                                     const StackView& stack,
                                                                     const Journal& journal, bool in_public);

[[nodiscard]] StreamedAnswer follow_events(Journal& journal, FollowEvents asked);

void write_event(JsonWriter& json, const JournalEvent& event, bool in_public);
// Of this run of belfry and of no other: "19af2b7c3d1-17".
void append_event_id(std::string& out, const Journal& journal, Sequence sequence);

[[nodiscard]] Response show_timeline(const StackView& stack, WallClock& clock);

}  // namespace belfry::daemon::http
