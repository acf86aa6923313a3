// belfry events: what has happened, and with -f what happens.
#include <unistd.h>

#include <cstdint>
#include <iostream>
#include <optional>
#include <utility>

#include "cli/commands.hpp"
#include "cli/event_line.hpp"
#include "cli/locate.hpp"
#include "cli/terminal.hpp"
#include "client/event_stream.hpp"
#include "client/events.hpp"
#include "client/json.hpp"
#include "config/model/exit_codes.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

using client::EventRecord;
using client::StreamMessage;

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

Failure refused(int status, const std::string& detail) {
  const bool mistake = status == 400 || status == 404;
  return {mistake         ? exit_code::usage
          : status == 403 ? exit_code::not_permitted
                          : exit_code::unavailable,
          detail, status == 404 ? "belfry status shows all services" : ""};
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

// The run of belfry that has given an id.
std::string_view run_of(std::string_view id) { return id.substr(0, id.find('-')); }

// Owner: follow(). Lifecycle: one command.
class Follower {
 public:
  // `goes_on`: behind an event that it has seen.
  Follower(const Printer& printer, bool goes_on) : printer_(printer), goes_on_(goes_on) {}

  // False: there is no use in going on.
  bool take(std::string_view bytes) {
    for (const StreamMessage& message : reader_.take(bytes)) take(message);
    std::cout.flush();
    return !is_another_run_ && std::cout.good();
  }
  // It was too slow, and may come again.
  [[nodiscard]] bool was_dropped() { return std::exchange(dropped_, false); }
  [[nodiscard]] bool is_another_run() const { return is_another_run_; }
  [[nodiscard]] const std::string& last_id() const { return last_id_; }
  void begin_anew() { reader_ = client::EventReader(); }

 private:
  void take(const StreamMessage& message) {
    if (message.type == "dropped") {
      dropped_ = true;
    } else if (message.type == "missed") {
      // Whoever asked for all that is kept misses nothing.
      const std::int64_t missed = client::number_member(message.data, "missed");
      if (missed > 0 && (goes_on_ || !last_id_.empty())) say_missing(missed);
    } else if (!message.id.empty()) {
      is_another_run_ = is_another_run_ || (!last_id_.empty() && run_of(last_id_) != run_of(message.id));
      if (is_another_run_) return;
      last_id_ = message.id;
      if (const auto event = client::read_event(message.data)) printer_.print(*event);
    }
  }

  const Printer& printer_;
  bool goes_on_;
  client::EventReader reader_;
  std::string last_id_;
  bool dropped_ = false;
  bool is_another_run_ = false;
};

// Until the daemon ends. Who was too slow goes on where he was, with the same run of the same stack.
int follow(Client& first, const Invocation& asked, std::uint64_t since, const Printer& printer) {
  Follower follower(printer, since > 0);
  std::optional<Client> again;
  for (Client* client = &first;;) {
    const auto ended = client->follow(target(asked, since), follower.last_id(),
                                      [&follower](std::string_view bytes) { return follower.take(bytes); });
    if (!ended) return report(ended.error());
    if (ended->status != 200) return report(refused(ended->status, detail_of(*ended)));
    if (!std::cout.good()) return exit_code::ok;  // whoever prints the last words says why
    const bool goes_on = follower.was_dropped() && !follower.is_another_run();
    if (!goes_on) break;
    auto connected = Client::connect(first.path());
    if (!connected) return report(connected.error());
    again.emplace(std::move(*connected));
    client = &*again;
    follower.begin_anew();
  }
  if (!follower.is_another_run()) return exit_code::ok;
  return report({exit_code::unavailable,
                 "cannot go on: another belfry answers at " + first.path() + " by now", "belfry events -f"});
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
