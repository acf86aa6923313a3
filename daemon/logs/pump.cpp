#include "daemon/logs/pump.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "channels/select.hpp"
#include "channels/sleep.hpp"
#include "system/terminal.hpp"

namespace belfry::daemon {

namespace {

constexpr std::size_t turn_of_one = std::size_t{64} << 10;  // then others come in between
constexpr std::size_t one_turn_of_a_flood = std::size_t{448} << 10;
constexpr std::size_t too_much = LogLines::most_held / 2;
constexpr std::size_t little_enough = std::size_t{64} << 10;
// A reader that takes less than this in that time is slow, and services do not wait for it.
constexpr Duration longest_rest = std::chrono::milliseconds(100);
constexpr std::uint64_t good_progress = std::uint64_t{1} << 20;

// What is written anyway is written by then.
constexpr Duration at_once = std::chrono::milliseconds(50);
constexpr Duration longest_silence = std::chrono::seconds(2);
constexpr Duration last_words = std::chrono::milliseconds(500);
constexpr std::size_t marker_size = 128;
constexpr int larger_pipe = 1 << 19;
constexpr int largest_pipe = 1 << 20;  // what anybody may ask for (proc(5), pipe-max-size)

}  // namespace

LogPump::LogPump(Loop& loop, int output)
    : loop_(loop),
      moved_(loop, "output moved"),
      mailbox_(loop),
      writer_(output, "belfry | ", [this] { mailbox_.post([this] { moved(); }); }),
      output_(output),
      terminal_(system::is_terminal(output)),
      patience_(loop),
      own_("belfry", {.for_terminal = terminal_}) {}

LogPump::LogPump(Loop& loop, std::unique_ptr<system::OutputTarget> target, LineStyle style)
    : loop_(loop),
      moved_(loop, "output moved"),
      mailbox_(loop),
      writer_(std::move(target), [this] { mailbox_.post([this] { moved(); }); }),
      output_(-1),
      terminal_(false),
      patience_(loop),
      own_("belfry", style) {}

LogPump::~LogPump() = default;

void LogPump::dirty(LogLines& lines) {
  if (lines.empty() || lines.queued) return;
  lines.queued = true;
  dirty_.push_back(&lines);
  if (std::exchange(flush_posted_, true)) return;
  // Nobody waits for it: what the news of this line starts comes first.
  loop_.afterwards([this] {
    flush_posted_ = false;
    flush();
  });
}

void LogPump::forget(LogLines& lines) {
  const auto place = std::ranges::find(dirty_, &lines);
  if (place == dirty_.end()) return;
  own_.take_over(lines);
  lines.queued = false;
  if (std::exchange(own_.queued, true))
    dirty_.erase(place);
  else
    *place = &own_;
}

void LogPump::say(std::string_view text) {
  own_.add({.bytes = std::string(text) + "\n"}, {.at = std::chrono::system_clock::now()});
  dirty(own_);
  keep_own(text);
}

void LogPump::keep_own(std::string_view text) {
  if (own_kept_ == nullptr) return;
  own_kept_->add({.bytes = std::string(text) + "\n"}, {.at = std::chrono::system_clock::now()});
}

void LogPump::print(std::string_view lines) {
  own_.print(lines);
  dirty(own_);
}

void LogPump::flush() {
  for (std::size_t room = 0; !dirty_.empty() && (room = writer_.room()) > 0;) {
    fill_batch(room);
    if (frame) frame(batch_);
    writer_.put(batch_);
  }
  if (resting_.empty()) return;
  let_go_on(Why::written);
  if (!resting_.empty()) (void)writer_.tell_when_written(little_enough);
}

void LogPump::redraw() {
  if (!frame || writer_.room() == 0) return;
  std::string drawing;
  frame(drawing);
  if (!drawing.empty()) writer_.put(drawing);
}

// The sources have their turns in the order in which they came to have something: a flood of one does not
// keep the others out.
void LogPump::fill_batch(std::size_t room) {
  while (!dirty_.empty() && batch_.size() < room) {
    LogLines& lines = *dirty_.front();
    dirty_.pop_front();
    const std::size_t most = dirty_.empty() ? room : turn_of_one;
    lines.move_to(batch_, std::min(most, room - batch_.size()));
    lines.queued = !lines.empty();
    if (lines.queued)
      dirty_.push_back(&lines);
    else
      lines.impatient = false;
  }
}

void LogPump::moved() {
  flush();
  tell_news();
  moved_.notify();
  if (on_moved) on_moved();
}

bool LogPump::has_written_all() {
  flush();
  return dirty_.empty() && !writer_.tell_when_written();
}

void LogPump::tell_news() {
  const int failure = writer_.failure();
  if (failure != std::exchange(reported_, failure) && failure != 0 && on_failure) on_failure(failure);
  const std::uint64_t lost = writer_.lost_in_all();
  const std::uint64_t before = std::exchange(unwritten_told_, lost);
  if (lost > before && on_unwritten) on_unwritten(lost - before);
  if (const std::string trouble = writer_.take_trouble(); !trouble.empty() && on_trouble) on_trouble(trouble);
}

std::size_t LogPump::outstanding() const {
  std::size_t bytes = writer_.unwritten();
  for (const LogLines* lines : dirty_) bytes += lines->held();
  return bytes;
}

bool LogPump::rests(LogSource& source, LogLines& lines, bool floods) {
  lines.floods = floods;
  if (lines.may_drop() && lines.impatient) return false;
  const bool has_had_its_turn = floods && outstanding() >= one_turn_of_a_flood;
  if (!has_had_its_turn && lines.held() < too_much) return false;
  resting_.push_back({&source, &lines});
  (void)writer_.tell_when_written(little_enough);
  if (!patience_.armed()) watch_progress();
  return true;
}

void LogPump::watch_progress() {
  const std::uint64_t before = writer_.written();
  patience_.arm(loop_.now() + longest_rest, [this, before] {
    let_go_on(writer_.written() - before < good_progress ? Why::it_takes_too_long : Why::time_has_passed);
    if (!resting_.empty()) watch_progress();
  });
}

void LogPump::forget_source(LogSource& source) {
  std::erase_if(resting_, [&](const Resting& one) { return one.source == &source; });
}

// A source whose own lines have gone does not wait for what others write meanwhile.
bool LogPump::may_go_on(const LogLines& lines, Why why) {
  switch (why) {
    case Why::written: return false;
    case Why::time_has_passed: return lines.empty();
    case Why::it_takes_too_long: return lines.may_drop();
  }
  return false;
}

void LogPump::let_go_on(Why why) {
  std::vector<Resting> rested;
  const bool all_has_been_written = outstanding() <= little_enough;
  std::erase_if(resting_, [&](const Resting& one) {
    if (!all_has_been_written && !may_go_on(*one.lines, why)) return false;
    rested.push_back(one);
    return true;
  });
  if (resting_.empty()) patience_.cancel();
  for (const Resting& one : rested) {
    one.lines->impatient = !all_has_been_written && !one.lines->empty();
    one.source->go_on();
  }
}

Task<LogPump::WrittenOut> LogPump::write_out(Context& ctx, Wakeup& hurry, TimePoint by, Duration silence) {
  std::uint64_t seen = writer_.written();
  TimePoint give_up_at = std::min(by, loop_.now() + silence);
  for (;;) {
    flush();
    if (dirty_.empty() && !writer_.tell_when_written()) co_return WrittenOut::all;
    auto moved = on(moved_);
    auto asked = on(hurry);
    auto late = at(loop_, give_up_at);
    const std::size_t which = co_await select(ctx, moved, asked, late);
    if (which == select_cancelled || which == 1) co_return WrittenOut::hurried;
    if (std::exchange(seen, writer_.written()) != seen)
      give_up_at = std::min(by, loop_.now() + silence);
    else if (loop_.now() >= give_up_at)
      co_return WrittenOut::too_slowly;
  }
}

// To each the same share: what was said last tells more than what came before.
void LogPump::keep_what_fits(std::size_t bytes) {
  if (dirty_.empty()) return;
  const std::size_t share = bytes / dirty_.size();
  for (LogLines* lines : dirty_) {
    lines->keep_newest(share > marker_size ? share - marker_size : 0);
    lines->move_to(batch_, lines->held());
    lines->queued = false;
  }
  dirty_.clear();
  writer_.put(batch_);
}

std::uint64_t LogPump::unwritten_lines() const {
  std::uint64_t count = writer_.unwritten_lines();
  for (const LogLines* lines : dirty_) count += lines->lines();
  return count;
}

Task<std::uint64_t> LogPump::drain(Context& ctx, Wakeup& hurry, TimePoint by) {
  WrittenOut end = co_await write_out(ctx, hurry, by, at_once);
  tell_news();  // what has gone wrong at the very end has nobody else to tell it
  if (end == WrittenOut::all) co_return 0;
  // What a pipe holds can be read when belfry has gone, so that mostly there is no reader to wait for.
  (void)writer_.enlarge_pipe(larger_pipe);
  if (end == WrittenOut::too_slowly) end = co_await write_out(ctx, hurry, by, longest_silence);
  if (end == WrittenOut::all) co_return 0;
  const std::uint64_t missing = unwritten_lines();
  const std::size_t room = writer_.enlarge_pipe(largest_pipe);
  if (room == 0) co_return missing;
  keep_what_fits(room);
  Wakeup nobody(loop_, "hurry");
  end = co_await write_out(ctx, nobody, loop_.now() + last_words, last_words);
  co_return end == WrittenOut::all ? 0 : missing;
}

bool LogPump::finish(Duration patience) {
  flush();
  if (writer_.finish(patience)) flush();
  return writer_.finish(patience) && dirty_.empty();
}

}  // namespace belfry::daemon
