#include "cli/watch.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <optional>
#include <utility>

#include "cli/event_line.hpp"
#include "cli/interrupts.hpp"
#include "cli/live_status.hpp"
#include "cli/render.hpp"
#include "cli/terminal.hpp"
#include "client/event_stream.hpp"
#include "client/events.hpp"
#include "system/become.hpp"
#include "system/screen.hpp"
#include "text/escape.hpp"

namespace belfry::cli {
namespace {

using client::Client;

constexpr Duration between_looks = std::chrono::milliseconds(50);
constexpr Duration a_second = std::chrono::seconds(1);

// Owner: watch(). Lifecycle: one stream of events.
class Watch {
 public:
  Watch(Client stream, const WatchTerms& terms)
      : stream_(std::move(stream)), terms_(terms), screen_(system::screen_at(STDOUT_FILENO)) {}

  int run();

 private:
  enum class Next : std::uint8_t { goes_on, has_ended, left };

  bool look();
  void draw(std::string_view above = {});
  void take(std::string_view bytes);
  void show_line(const client::EventRecord& event);
  void follow_logs();
  void take_logs(std::string_view bytes);
  void show_plain_lines();
  Next heard(int number);
  Next answered();
  void ask_to_stop();
  int end(Next why);
  [[nodiscard]] int milliseconds_left() const;
  [[nodiscard]] bool shows(const client::EventRecord& event) const;

  Client stream_;
  const WatchTerms& terms_;
  text::Screen screen_;
  text::LiveBlock block_;
  client::EventReader reader_;
  std::optional<Client> logs_;  // nothing: nobody wants to see them, or the daemon shows none
  client::EventReader log_reader_;
  client::StackStatus status_;
  TimePoint looked_at_{};
  std::string above_;
  bool has_news_ = false;
  bool asks_ = false;  // whether to leave or to stop
  int signal_ = 0;
};

// How it is now. On a connection of its own: the first one is busy with the stream.
bool Watch::look() {
  auto client = Client::connect(stream_.path());
  if (!client) return false;
  const auto reply = client->request("GET", "/v1/services");
  if (!reply || reply->status != 200) return false;
  auto status = client::read_status(reply->body);
  if (!status) return false;
  status_ = std::move(*status);
  looked_at_ = Clock::now();
  if (!terms_.services.empty())
    std::erase_if(status_.services, [this](const client::ServiceStatus& one) {
      return std::ranges::find(terms_.services, one.name) == terms_.services.end();
    });
  return true;
}

void Watch::draw(std::string_view above) {
  if (!screen_.rewrites) return;
  std::vector<std::string> lines = live_status(status_, Clock::now() - looked_at_, screen_);
  if (asks_) lines.emplace_back("leave it running (l) or stop the stack (s)? then Enter; Ctrl-C leaves");
  std::cout << block_.redraw(above, lines, screen_.width);
  std::cout.flush();
}

bool Watch::shows(const client::EventRecord& event) const {
  return terms_.services.empty() || event.service.empty() ||
         std::ranges::find(terms_.services, event.service) != terms_.services.end();
}

void Watch::show_line(const client::EventRecord& event) {
  const bool is_line = !screen_.rewrites || terms_.with_events;
  if (is_line && shows(event)) above_ += event_line(event, screen_.colour);
}

void Watch::take(std::string_view bytes) {
  for (const client::StreamMessage& message : reader_.take(bytes)) {
    if (message.id.empty()) continue;
    has_news_ = true;
    if (const auto event = client::read_event(message.data)) show_line(*event);
  }
  show_plain_lines();
}

void Watch::show_plain_lines() {
  if (screen_.rewrites) return;
  std::cout << std::exchange(above_, {});
  std::cout.flush();
}

void Watch::follow_logs() {
  if (!terms_.with_events) return;
  auto client = Client::connect(stream_.path());
  if (!client) return;
  const auto begun = client->begin_stream("/v1/logs?follow=1&n=10", {});
  if (!begun || begun->status != 200) return;
  logs_.emplace(std::move(*client));
  take_logs(begun->body);
}

void Watch::take_logs(std::string_view bytes) {
  for (const client::StreamMessage& message : log_reader_.take(bytes)) {
    if (!message.type.empty()) continue;
    const std::string line = client::text_member(message.data, "line");
    above_ += text::visible(client::text_member(message.data, "service") + " | " + line) + "\n";
  }
  show_plain_lines();
}

Watch::Next Watch::heard(int number) {
  if (number == SIGWINCH) {
    screen_ = system::screen_at(STDOUT_FILENO);
    draw();
    return Next::goes_on;
  }
  signal_ = number;
  const bool can_ask = number == SIGINT && terms_.may_stop && screen_.rewrites && ::isatty(STDIN_FILENO) == 1;
  if (!can_ask || asks_) return Next::left;
  asks_ = true;
  draw();
  return Next::goes_on;
}

Watch::Next Watch::answered() {
  std::array<char, 256> line{};
  const ssize_t got = ::read(STDIN_FILENO, line.data(), line.size());
  if (got <= 0) return Next::left;
  // The terminal has shown what was typed, and a line end with it: both lie below the block.
  std::cout << "\033[1A";
  asks_ = false;
  if (line[0] == 's' || line[0] == 'S') ask_to_stop();
  const bool leaves = line[0] == 'l' || line[0] == 'L';
  draw();
  return leaves ? Next::left : Next::goes_on;
}

void Watch::ask_to_stop() {
  auto client = Client::connect(stream_.path());
  if (!client) return;
  const auto reply = client->request("POST", "/v1/shutdown");
  if (reply && reply->status >= 300) above_ += "belfry: " + text::visible(detail_of(*reply)) + "\n";
  if (!reply) above_ += "belfry: " + text::visible(reply.error().message) + "\n";
}

int Watch::milliseconds_left() const {
  const TimePoint now = Clock::now();
  TimePoint next = TimePoint::max();
  if (has_news_)
    next = looked_at_ + between_looks;
  else if (screen_.rewrites && is_moving(status_))
    next = now + a_second;
  if (next == TimePoint::max()) return -1;
  return static_cast<int>(
      std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(next - now).count()));
}

int Watch::end(Next why) {
  if (why == Next::has_ended) {
    if (screen_.rewrites) std::cout << block_.erase(screen_.width) << above_;
    std::cout << text::visible(status_.stack) << ": belfry has ended\n";
    return exit_code::ok;
  }
  asks_ = false;
  draw();
  if (terms_.may_stop && signal_ != SIGTERM && signal_ != SIGHUP) return exit_code::ok;
  std::cout.flush();
  return exit_code::by_signal + signal_;
}

int Watch::run() {
  Interrupts interrupts;
  const auto begun = stream_.begin_stream("/v1/events", {});
  if (!begun) return report(begun.error());
  if (begun->status != 200)
    return report({begun->status == 403 ? exit_code::not_permitted : exit_code::unavailable,
                   "cannot watch: " + detail_of(*begun), ""});
  if (!look()) return report(client::no_answer(stream_.path(), "it does not say how its services are"));
  if (screen_.rewrites)
    draw();
  else
    std::cout << render_status(status_, terminal_at(STDOUT_FILENO)) << "\n" << std::flush;
  take(begun->body);
  follow_logs();
  for (;;) {
    pollfd watched[] = {{stream_.descriptor(), POLLIN, 0},
                        {interrupts.descriptor(), POLLIN, 0},
                        {asks_ ? STDIN_FILENO : -1, POLLIN, 0},
                        {logs_ ? logs_->descriptor() : -1, POLLIN, 0}};
    if (::poll(watched, std::size(watched), milliseconds_left()) < 0) continue;
    Next next = Next::goes_on;
    while (const int number = interrupts.take()) {
      if (next = heard(number); next != Next::goes_on) return end(next);
    }
    if (watched[2].revents != 0) {
      if (next = answered(); next != Next::goes_on) return end(next);
    }
    if (watched[0].revents != 0) {
      const std::string piece = stream_.next_piece();
      if (piece.empty()) return end(Next::has_ended);
      take(piece);
    }
    if (watched[3].revents != 0) {
      const std::string piece = logs_->next_piece();
      if (piece.empty()) logs_.reset();
      take_logs(piece);
    }
    if (has_news_ && Clock::now() - looked_at_ >= between_looks) {
      has_news_ = false;
      (void)look();
    }
    if (!has_news_) draw(std::exchange(above_, {}));
    if (!std::cout.good()) return exit_code::ok;  // whoever prints the last words says why
  }
}

}  // namespace

int watch(Client client, const WatchTerms& terms) { return Watch(std::move(client), terms).run(); }

}  // namespace belfry::cli
