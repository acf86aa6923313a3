#include "daemon/run/live_view.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

#include "system/screen.hpp"
#include "text/escape.hpp"

namespace belfry::daemon {
namespace {

constexpr Duration between_drawings = std::chrono::milliseconds(50);
constexpr Duration a_second = std::chrono::seconds(1);

bool is_on_its_way(State state) {
  return state == State::waiting || state == State::starting || state == State::stopping ||
         state == State::backoff || state == State::unready;
}

std::string seconds_text(Duration time) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1fs", std::chrono::duration<double>(time).count());
  return buffer;
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) (line += line.empty() ? "" : ", ") += word;
  return line;
}

// Says why it is not ready; of one that is, what it says of itself.
std::string why_of(const ServiceView& service) {
  if (service.state == State::waiting && !service.waiting_for.empty())
    return "waits for " + joined(service.waiting_for);
  if (service.state == State::ready || service.state == State::completed) return service.status_text;
  return service.last_error;
}

bool rests_well(const std::unique_ptr<Service>& service) {
  return service->state() == State::inactive || service->state() == State::completed;
}

bool uses_the_terminal(const config::Service& service) {
  return service.extras &&
         (service.extras->tty || service.extras->log.inherit || !service.extras->standard_input.empty());
}

}  // namespace

LiveView::LiveView(Loop& loop, const Supervisor& supervisor, LogPump& pump)
    : loop_(loop),
      supervisor_(supervisor),
      pump_(pump),
      screen_(system::screen_at(pump.output())),
      timer_(loop) {
  pump_.frame = [this](std::string& batch) { batch = block_.redraw(batch, lines_, screen_.width); };
  changed();
}

LiveView::~LiveView() { pump_.frame = {}; }

void LiveView::changed() {
  if (!pump_.frame || std::exchange(soon_, true)) return;
  timer_.arm(std::max(loop_.now(), drawn_at_ + between_drawings), [this] { draw(); });
}

void LiveView::resized() {
  screen_ = system::screen_at(pump_.output());
  changed();
}

void LiveView::end() {
  if (!pump_.frame) return;
  timer_.cancel();
  look();
  // Of those who went down as they were asked to there is nothing to see.
  if (std::ranges::all_of(supervisor_.services(), rests_well)) lines_.clear();
  pump_.redraw();
  pump_.frame = {};
}

void LiveView::draw() {
  soon_ = false;
  look();
  pump_.redraw();
  drawn_at_ = loop_.now();
  const bool moves = std::ranges::any_of(supervisor_.services(),
                                         [](const auto& service) { return is_on_its_way(service->state()); });
  if (moves) timer_.arm(drawn_at_ + a_second, [this] { draw(); });
}

void LiveView::look() {
  std::vector<std::string_view> states;
  std::size_t ready = 0, wanted = 0;
  const std::vector<std::size_t> all = supervisor_.shown();
  for (const std::size_t index : all) {
    const Service& service = supervisor_.at(index);
    states.push_back(name_of(service.state()));
    if (!service.record().wanted) continue;
    ++wanted;
    if (service.default_level()) ++ready;
  }
  const std::vector<std::size_t> shown = text::worth_seeing(states, text::room_for_rows(screen_));
  std::vector<text::LiveRow> rows;
  rows.reserve(shown.size());
  for (const std::size_t index : shown) rows.push_back(row_of(all[index]));
  std::string title = text::visible(supervisor_.stack_name()) + ": " + std::to_string(ready) + " of " +
                      std::to_string(wanted) + " ready";
  if (supervisor_.shutting_down()) title = text::visible(supervisor_.stack_name()) + ": stopping";
  lines_ = text::live_lines(title, rows, text::left_out_text(states, shown), screen_);
}

text::LiveRow LiveView::row_of(std::size_t index) const {
  const ServiceView service = supervisor_.service(index);
  text::LiveRow row{.name = text::visible(service.name),
                    .state = std::string(name_of(service.state)),
                    .time = {},
                    .why = text::visible(why_of(service))};
  if (is_on_its_way(service.state))
    row.time = seconds_text(loop_.now() - service.since);
  else if (service.state == State::ready && service.time_to_ready)
    row.time = seconds_text(*service.time_to_ready);
  return row;
}

bool can_be_live(const config::Stack& stack, int output) {
  return system::screen_at(output).rewrites && std::ranges::none_of(stack.services, uses_the_terminal);
}

}  // namespace belfry::daemon
