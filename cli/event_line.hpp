// An event of the daemon as a line for people.
#pragma once

#include <string>

#include "client/events.hpp"

namespace belfry::cli {

// "2026-11-30T09:20:01.123Z  db  ready: log "listening on 5432"", with its end. What a service said is made
// fit for a terminal.
[[nodiscard]] std::string event_line(const client::EventRecord& event, bool use_colour);

// `log "listening on 5432"`, "notify from pid 4711", "port 8080 of pid 4711"; empty: it has none.
[[nodiscard]] std::string evidence_text(const client::EventRecord& event);

}  // namespace belfry::cli
