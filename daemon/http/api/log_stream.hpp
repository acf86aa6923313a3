// /v1/logs and /v1/services/{name}/logs: the last lines of services, as JSON, as text or as server-sent
// events, which go on with what is written. All of them are made while they are sent: there may be a mebibyte
// for each service.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/http/api/log_query.hpp"
#include "daemon/http/wire/body_stream.hpp"
#include "daemon/http/wire/message.hpp"
#include "daemon/http/wire/wall_clock.hpp"
#include "daemon/logs/log_book.hpp"
#include "daemon/view/stack_view.hpp"

namespace belfry::daemon::http {

// GET /v1/logs, understood.
struct FollowLogs {
  enum class Form : std::uint8_t { json, text, events };
  Form form = Form::json;
  bool follow = false;  // events only
  bool named = true;    // text: each line begins with the name of its service
  std::vector<std::size_t> pages;
  LogFilter filter;
  std::optional<std::size_t> last;      // of each page
  std::optional<std::uint64_t> behind;  // the line that was seen last
  std::string unknown;                  // why nobody knows how many lines have been missed
  std::uint64_t run = 0;
};

// What the lines are looked up in.
struct LogWorld {
  const StackView& stack;
  const LogBook& book;
  std::uint64_t run;  // of this run of belfry (Journal::run)
  WallTime now;
};

// `service`: whose they are; empty: those that the query names. The name of a gate, and so the bare name of
// replicas, stands for all that the gate depends on; `belfry`, where no service is called that, for belfry's
// own lines.
[[nodiscard]] std::variant<Response, FollowLogs> understand_logs(const Request& request,
                                                                 std::string_view service,
                                                                 std::string_view query,
                                                                 const LogWorld& world);

[[nodiscard]] StreamedAnswer follow_logs(LogBook& book, FollowLogs asked);

}  // namespace belfry::daemon::http
