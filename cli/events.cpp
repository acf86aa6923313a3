// belfry events: what has happened, and with -f what happens.
#include <unistd.h>

#include <cstdint>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/event_line.hpp"
#include "cli/locate.hpp"
#include "cli/stream_follower.hpp"
#include "cli/terminal.hpp"
#include "client/events.hpp"
#include "client/json.hpp"
#include "config/model/exit_codes.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

using client::EventRecord;

// Prints those that are wanted. What has been read at once goes out at once.
class Printer {
 public:
  Printer(const Invocation& asked, const EventsSince& since)
      : json_(asked.json), colour_(terminal_at(STDOUT_FILENO).colour) {
    if (since.ago) earliest_ns_ = (Clock::now() - *since.ago).time_since_epoch().count();
  }

  void print(const EventRecord& event) const {
    if (event.monotonic_ns < earliest_ns_) return;
    std::cout << (json_ ? text::visible_json(event.json) + "\n" : event_line(event, colour_));
  }

 private:
  bool json_, colour_;
  std::int64_t earliest_ns_ = INT64_MIN;
};

// To standard error: between events it would be taken for one.
void say_missing(std::int64_t how_many) {
  std::cout.flush();
  std::cerr << "belfry: " << how_many << (how_many == 1 ? " event is" : " events are")
            << " missing: only the newest are kept\n";
}

std::string target(const Invocation& asked, std::uint64_t since) {
  std::string text = "/v1/events?since=" + std::to_string(since);
  for (const std::string& name : asked.names) text += "&service=" + encoded(name);
  for (const std::string& kind : asked.events.kinds) text += "&kind=" + encoded(kind);
  return text;
}

// All that is kept. No more than so many events come in one answer.
int print_kept(Client& client, const Invocation& asked, std::uint64_t since, const Printer& printer) {
  for (bool more = true; more;) {
    const auto reply = client.request("GET", target(asked, since));
    if (!reply) return report(reply.error());
    if (reply->status != 200) return report(refused(reply->status, detail_of(*reply)));
    const auto page = client::read_event_page(reply->body);
    if (!page) return report(client::no_answer(client.path(), "what it says is no list of events"));
    if (page->missed > 0 && since > 0) say_missing(page->missed);
    for (const EventRecord& event : page->events) printer.print(event);
    since = static_cast<std::uint64_t>(page->since);
    more = page->more;
  }
  return exit_code::ok;
}

// Until the daemon ends.
int follow(Client& client, const Invocation& asked, std::uint64_t since, const Printer& printer) {
  bool goes_on = since > 0;  // behind an event that it has seen
  StreamFollower follower({.target = target(asked, since), .again = "belfry events -f"},
                          [&](const StreamMessage& message) {
                            if (message.type.empty()) {
                              goes_on = true;
                              if (const auto event = client::read_event(message.data)) printer.print(*event);
                            } else if (message.type == "missed" && goes_on) {
                              // Whoever asked for all that is kept misses nothing.
                              const std::int64_t missed = client::number_member(message.data, "missed");
                              if (missed > 0) say_missing(missed);
                            }
                          });
  return follower.follow(client);
}

}  // namespace

int events(const Invocation& asked) {
  const auto since = events_since(asked.events);
  if (!since) return report(since.error());
  auto client = connect_to_daemon(asked);
  if (!client) return report(client.error());
  const Printer printer(asked, *since);
  return asked.events.follow ? follow(*client, asked, since->sequence, printer)
                             : print_kept(*client, asked, since->sequence, printer);
}

}  // namespace belfry::cli
