// belfry logs: what services have written, and with -f what they write.
#include <unistd.h>

#include <iostream>

#include "cli/commands.hpp"
#include "cli/locate.hpp"
#include "cli/log_line.hpp"
#include "cli/stream_follower.hpp"
#include "cli/terminal.hpp"
#include "client/json.hpp"
#include "client/log_lines.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

// Whoever follows wants to see where he is, and not all that is kept.
constexpr std::string_view last_before_following = "10";

std::string target(const Invocation& asked, const std::string& since) {
  const LogOptions& options = asked.logs_shown;
  std::string text = "/v1/logs?follow=" + std::string(options.follow ? "1" : "0");
  const auto add = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) text.append("&").append(name).append("=").append(encoded(value));
  };
  for (const std::string& name : asked.names) add("service", name);
  for (const std::string& stream : options.streams) add("stream", stream);
  const bool says_where = !options.last.empty() || !since.empty();
  add("n", options.follow && !says_where ? last_before_following : options.last);
  add("since", since);
  add("grep", options.grep);
  return text;
}

// Owner: logs(). Lifecycle: one command.
class Printer {
 public:
  explicit Printer(const Invocation& asked)
      : json_(asked.json),
        format_({.colour = terminal_at(STDOUT_FILENO).colour, .timestamps = asked.logs_shown.timestamps}) {}

  void print(const StreamMessage& message) {
    if (message.type == "begin") {
      format_.set_names(client::list_member(message.data, "services"));
    } else if (message.type == "missed") {
      std::cout << (json_ ? as_json(message.data) : format_.missed(client::read_missed_lines(message.data)));
    } else if (message.type.empty()) {
      if (json_)
        std::cout << as_json(message.data);
      else if (const auto line = client::read_log_line(message.data))
        std::cout << format_.line(*line);
    }
  }

 private:
  static std::string as_json(const std::string& data) { return text::visible_json(data) + "\n"; }

  bool json_;
  LogLineFormat format_;
};

}  // namespace

int logs(const Invocation& asked) {
  std::string since;
  if (!asked.logs_shown.since.empty()) {
    auto read = log_since(asked.logs_shown.since);
    if (!read) return report(read.error());
    since = std::move(*read);
  }
  auto client = connect_to_daemon(asked);
  if (!client) return report(client.error());
  Printer printer(asked);
  StreamFollower follower(
      {.target = target(asked, since), .has_end = !asked.logs_shown.follow, .again = "belfry logs -f"},
      [&printer](const StreamMessage& message) { printer.print(message); });
  return follower.follow(*client);
}

}  // namespace belfry::cli
