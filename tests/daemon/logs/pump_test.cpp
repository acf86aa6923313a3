#include "daemon/logs/pump.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>

#include "channels/loop.hpp"
#include "channels/spawn.hpp"
#include "daemon/logs/pipe.hpp"
#include "tests/daemon/logs/written_lines.hpp"

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;
using testing_support::WrittenLines;

// A service's pipe with one output.
struct Service {
  Service(system::Poller& poller, LogPump& pump, LogPipeOptions options = {}, LineStyle style = {})
      : outputs(with(pump, style)), pipe(poller, *outputs, options) {}
  static std::unique_ptr<LogOutputs> with(LogPump& pump, LineStyle style) {
    auto outputs = std::make_unique<LogOutputs>();
    outputs->add_output(pump, "web", style);
    return outputs;
  }
  LogPipe* operator->() { return &pipe; }
  std::unique_ptr<LogOutputs> outputs;
  LogPipe pipe;
};

// A loop with a pump that writes into a pipe the test reads.
class LogPumpTest : public testing::Test {
 protected:
  LogPumpTest() {
    EXPECT_EQ(::pipe2(output_.data(), O_CLOEXEC), 0);
    ::fcntl(output_[0], F_SETFL, O_NONBLOCK);
    poller_ = std::make_unique<system::Poller>(root_);
    pump_ = std::make_unique<LogPump>(loop_, output_[1]);
  }
  ~LogPumpTest() override {
    pump_.reset();
    loop_.abandon();
    poller_.reset();
    ::close(output_[0]);
    ::close(output_[1]);
  }
  // What has come out by now, all that was on its way included, as long as it fits into a pipe.
  std::string written() {
    loop_.run_until_idle();
    pump_->finish(30s);
    return taken();
  }
  std::string taken() {
    std::array<char, 1 << 16> buffer{};
    const ssize_t n = ::read(output_[0], buffer.data(), buffer.size());
    return n > 0 ? std::string(buffer.data(), static_cast<std::size_t>(n)) : std::string();
  }

  static bool write_line(int end) { return ::write(end, line.data(), line.size()) > 0; }
  // So many lines into a pipe; `when_full` lets somebody read.
  static void write_lines(int end, int count, const std::function<void()>& when_full) {
    ::fcntl(end, F_SETFL, O_NONBLOCK);
    while (count > 0) {
      if (write_line(end))
        --count;
      else
        when_full();
    }
  }
  // All there is, read as it comes. A source that rests goes on in the turn after what it waited for has been
  // written: so two rounds without anything are the end.
  std::string everything() {
    std::string all;
    for (int quiet = 0; quiet < 2;) {
      loop_.run_until_idle();
      const bool is_written = pump_->finish(1ms);
      const std::string more = taken();
      quiet = is_written && more.empty() ? quiet + 1 : 0;
      all += more;
    }
    return all;
  }

  static inline const std::string line = std::string(99, 'x') + "\n";
  ManualClock clock_;
  Loop loop_{clock_};
  Context root_{loop_};
  std::array<int, 2> output_{};
  std::unique_ptr<system::Poller> poller_;
  std::unique_ptr<LogPump> pump_;
};

TEST_F(LogPumpTest, what_a_service_writes_comes_out_behind_its_name) {
  Service web(*poller_, *pump_);
  const int end = web->open_write_end()->release();
  ASSERT_EQ(::write(end, "hello\n", 6), 6);
  loop_.run_until_idle();
  EXPECT_EQ(written(), "web | hello\n");
  ::close(end);
}

TEST_F(LogPumpTest, the_last_words_come_out_when_nobody_holds_the_pipe_any_more) {
  Service web(*poller_, *pump_);
  const int end = web->open_write_end()->release();
  ASSERT_EQ(::write(end, "no newline", 10), 10);
  ::close(end);
  web->drain();
  loop_.run_until_idle();
  EXPECT_EQ(written(), "web | no newline\n");
  EXPECT_FALSE(web->is_open());
}

TEST_F(LogPumpTest, the_pipe_outlives_a_restart_while_somebody_still_writes) {
  Service web(*poller_, *pump_);
  const int first = web->open_write_end()->release();
  const ino_t inode = web->inode();
  const int second = web->open_write_end()->release();
  EXPECT_EQ(web->inode(), inode);
  ::close(first);
  ASSERT_EQ(::write(second, "again\n", 6), 6);
  loop_.run_until_idle();
  EXPECT_EQ(written(), "web | again\n");
  ::close(second);
}

TEST_F(LogPumpTest, a_terminal_passes_lines_as_they_were_written_and_ends_with_its_last_holder) {
  Service web(*poller_, *pump_, {.terminal = true});
  const int first = web->open_write_end()->release();
  const int second = web->open_write_end()->release();
  EXPECT_EQ(::isatty(first), 1);
  ASSERT_EQ(::write(first, "one\ntwo\n", 8), 8);
  web->drain();  // the kernel hands lines on in its own time, and at once to who reads
  loop_.run_until_idle();
  EXPECT_EQ(written(), "web | one\nweb | two\n");
  ::close(first);
  web->drain();
  EXPECT_TRUE(web->is_open());
  ASSERT_EQ(::write(second, "last", 4), 4);
  ::close(second);
  web->drain();
  loop_.run_until_idle();
  EXPECT_EQ(written(), "web | last\n");
  EXPECT_FALSE(web->is_open());
}

TEST_F(LogPumpTest, a_reader_that_does_not_read_holds_nobody_up) {
  Service web(*poller_, *pump_);
  const int end = web->open_write_end()->release();
  write_lines(end, 50'000, [&] { loop_.advance(200ms); });
  pump_->say("still here");
  const std::string all = everything();
  EXPECT_NE(all.find("belfry | still here\n"), std::string::npos);
  EXPECT_NE(all.find("lines lost here: output was too slow"), std::string::npos);
  EXPECT_GT(web.outputs->lines_lost(), 0U);
  ::close(end);
}

TEST_F(LogPumpTest, a_reader_who_keeps_reading_loses_nothing_however_fast_the_service_is) {
  Service web(*poller_, *pump_);
  const int end = web->open_write_end()->release();
  std::string all;
  write_lines(end, 100'000, [&] {
    loop_.run_until_idle();
    all += taken();
  });
  all += everything();
  EXPECT_EQ(std::ranges::count(all, '\n'), 100'000);
  EXPECT_EQ(web.outputs->lines_lost(), 0U);
  ::close(end);
}

TEST_F(LogPumpTest, a_service_rests_for_a_moment_and_no_longer) {
  Service web(*poller_, *pump_);
  const int end = web->open_write_end()->release();
  ::fcntl(end, F_SETFL, O_NONBLOCK);
  int refused = 0;  // one after the other: the pipe is full, and nobody reads it
  for (; refused < 3; loop_.run_until_idle()) refused = write_line(end) ? 0 : refused + 1;
  loop_.advance(99ms);
  EXPECT_FALSE(write_line(end));
  loop_.advance(1ms);
  EXPECT_TRUE(write_line(end));
  refused = 0;
  for (int i = 0; i < 20'000 && refused < 3; ++i) {
    refused = write_line(end) ? 0 : refused + 1;
    loop_.run_until_idle();
  }
  EXPECT_LT(refused, 3) << "once, until all it wrote has gone out";
  ::close(end);
}

TEST_F(LogPumpTest, a_flood_of_one_keeps_nobody_out) {
  WrittenLines flood("flood");
  for (int i = 0; i < 9000; ++i) flood.take(line);
  pump_->dirty(flood);
  pump_->say("here I am");
  const std::string all = everything();
  const std::size_t place = all.find("belfry | here I am\n");
  EXPECT_LT(place, std::size_t{70'000});
  EXPECT_EQ(std::ranges::count(all, '\n'), 9001);
}

TEST_F(LogPumpTest, what_a_source_held_when_it_went_still_comes_out) {
  {
    WrittenLines gone("gone");
    for (int i = 0; i < 9000; ++i) gone.take(line);
    pump_->dirty(gone);
    loop_.run_until_idle();
    ASSERT_FALSE(gone.lines.empty());
    pump_->forget(gone);
  }
  EXPECT_EQ(std::ranges::count(everything(), '\n'), 9000);
}

// The end, with a reader who comes late.
class DrainTest : public LogPumpTest {
 protected:
  // Runs drain() for as long as it takes by the clock. How many lines it could neither write nor mark.
  // `for_the_thread`: what a thread that can write has for it, of real time, while the clock stands still.
  std::uint64_t drain(Duration within, LogPump& pump, Duration for_the_thread = 1ms) {
    std::uint64_t missing = 0;
    TaskHandle task = spawn(loop_, "drain", wait_for(pump, within, missing));
    for (int i = 0; i < 10'000 && !task.done(); ++i) {
      pump.finish(for_the_thread);
      loop_.advance(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(task.done());
    return missing;
  }
  Task<void> wait_for(LogPump& pump, Duration within, std::uint64_t& missing) {
    missing = co_await pump.drain(root_, hurry_, loop_.now() + within);
  }
  void say_many(WrittenLines& lines, int count) {
    for (int i = 0; i < count; ++i) lines.take(line);
    lines.take("FATAL: the reason\n");
    pump_->dirty(lines);
  }
  Wakeup hurry_{loop_, "hurry"};
};

TEST_F(DrainTest, what_a_larger_pipe_holds_waits_for_no_reader_and_is_there_afterwards) {
  WrittenLines lines("db");
  say_many(lines, 4000);
  const TimePoint before = loop_.now();
  EXPECT_EQ(drain(10s, *pump_, 20ms), 0U);
  EXPECT_LT(loop_.now() - before, 1s);
  pump_.reset();
  std::string all;
  for (std::string some = taken(); !some.empty(); some = taken()) all += some;
  EXPECT_EQ(std::ranges::count(all, '\n'), 4001);
  EXPECT_TRUE(all.ends_with("db | FATAL: the reason\n"));
}

TEST_F(DrainTest, of_more_than_that_the_last_lines_are_kept_and_the_others_counted) {
  WrittenLines lines("db");
  say_many(lines, 9500);
  EXPECT_EQ(drain(10s, *pump_), 0U);
  pump_->forget(lines);
  pump_.reset();
  std::string all;
  for (std::string some = taken(); !some.empty(); some = taken()) all += some;
  EXPECT_TRUE(all.ends_with("db | FATAL: the reason\n"));
  const std::size_t marker = all.find("db | [belfry: ");
  ASSERT_NE(marker, std::string::npos);
  const auto lost = std::stol(all.substr(marker + 14));
  EXPECT_EQ(std::ranges::count(all, '\n') - 1 + lost, 9501);
}

TEST_F(DrainTest, a_slow_reader_who_goes_on_reading_gets_everything) {
  WrittenLines lines("db");
  say_many(lines, 9500);
  std::uint64_t missing = 1;
  TaskHandle task = spawn(loop_, "drain", wait_for(*pump_, 10s, missing));
  std::string all;
  while (!task.done()) {
    all += taken();
    pump_->finish(1ms);
    loop_.advance(10ms);
  }
  all += everything();
  EXPECT_EQ(missing, 0U);
  EXPECT_EQ(std::ranges::count(all, '\n'), 9501);
}

TEST_F(DrainTest, who_is_in_a_hurry_waits_for_nobody) {
  WrittenLines lines("db");
  say_many(lines, 9500);
  hurry_.notify();
  const TimePoint before = loop_.now();
  (void)drain(10s, *pump_);
  EXPECT_LE(loop_.now() - before, 600ms);
  pump_->forget(lines);
}

TEST_F(DrainTest, a_terminal_that_takes_nothing_is_given_up_and_what_is_missing_is_told) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_EQ(::unlockpt(master), 0);
  const int terminal = ::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  {
    LogPump pump(loop_, terminal);
    EXPECT_TRUE(pump.is_terminal());
    for (int i = 0; i < 2000; ++i) pump.say(line.substr(0, line.size() - 1));
    const TimePoint before = loop_.now();
    EXPECT_GT(drain(10s, pump), 1000U);
    EXPECT_LE(loop_.now() - before, 3s);
  }
  ::close(master);
  ::close(terminal);
}

}  // namespace
}  // namespace belfry::daemon
