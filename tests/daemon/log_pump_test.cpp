#include "daemon/log_pump.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "channels/loop.hpp"
#include "channels/spawn.hpp"

namespace belfry::daemon {
namespace {

std::string take_all(LogLines& lines) {
  std::string text(lines.pending());
  lines.written(text.size());
  return text;
}

TEST(LogLines, each_line_gets_the_name_in_front) {
  LogLines lines("db");
  lines.take("one\ntwo\n");
  EXPECT_EQ(take_all(lines), "db | one\ndb | two\n");
  EXPECT_TRUE(lines.empty());
}

TEST(LogLines, an_unfinished_line_waits_for_its_end) {
  LogLines lines("db");
  lines.take("hal");
  EXPECT_TRUE(lines.empty());
  lines.take("f\nnext");
  EXPECT_EQ(take_all(lines), "db | half\n");
  lines.finish();
  EXPECT_EQ(take_all(lines), "db | next\n");
}

TEST(LogLines, a_line_without_end_is_cut_at_its_bound) {
  LogLines lines("db");
  lines.take(std::string(LogLines::longest_line, 'x'));
  EXPECT_FALSE(lines.empty());
}

TEST(LogLines, a_listener_hears_each_line_whole_also_those_that_are_dropped_later) {
  struct Ear final : LineListener {
    void on_line(std::string_view line) override {
      ++heard;
      last = line;
    }
    std::size_t heard = 0;
    std::string last;
  } ear;
  LogLines lines("db");
  lines.listener = &ear;
  lines.take("hal");
  EXPECT_EQ(ear.heard, 0U);
  lines.take("f\n");
  EXPECT_EQ(ear.last, "half") << "without the name of the service";
  for (int i = 1; i < 3000; ++i) lines.take(std::string(1000, 'x') + "\n");
  EXPECT_GT(lines.lost_in_all(), 0U);
  EXPECT_EQ(ear.heard, 3000U);
}

TEST(LogLines, what_a_partial_write_left_comes_next) {
  LogLines lines("a");
  lines.take("12345\n");
  lines.written(6);
  EXPECT_EQ(lines.pending(), "345\n");
}

TEST(LogLines, a_flood_drops_the_oldest_and_says_how_many) {
  LogLines lines("a");
  const std::string line(1000, 'x');
  for (int i = 0; i < 3000; ++i) lines.take(std::to_string(i) + line + "\n");
  const std::string text = take_all(lines);
  EXPECT_LE(text.size(), LogLines::most_held + 100);
  EXPECT_GT(lines.lost_in_all(), 1000U);
  EXPECT_TRUE(text.starts_with("a | [belfry: " + std::to_string(lines.lost_in_all()) + " lines lost here"));
  EXPECT_NE(text.find("a | 2999x"), std::string::npos);
  EXPECT_EQ(text.find("a | 0x"), std::string::npos);
}

// A loop with a pump that writes into a pipe the test reads.
class LogPumpTest : public testing::Test {
 protected:
  LogPumpTest() {
    EXPECT_EQ(::pipe2(output_.data(), O_CLOEXEC), 0);
    ::fcntl(output_[0], F_SETFL, O_NONBLOCK);
    poller_ = std::make_unique<Poller>(root_);
    pump_ = std::make_unique<LogPump>(loop_, *poller_, output_[1]);
  }
  ~LogPumpTest() override {
    pump_.reset();
    loop_.abandon();
    poller_.reset();
    ::close(output_[0]);
    ::close(output_[1]);
  }
  std::string written() {
    std::array<char, 1 << 16> buffer{};
    const ssize_t n = ::read(output_[0], buffer.data(), buffer.size());
    return n > 0 ? std::string(buffer.data(), static_cast<std::size_t>(n)) : std::string();
  }

  Loop loop_;
  Context root_{loop_};
  std::array<int, 2> output_{};
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<LogPump> pump_;
};

TEST_F(LogPumpTest, what_a_service_writes_comes_out_behind_its_name) {
  LogPipe pipe(*poller_, *pump_, "web");
  const int end = *pipe.open_write_end();
  ASSERT_EQ(::write(end, "hello\n", 6), 6);
  loop_.run_until_idle();
  EXPECT_EQ(written(), "web | hello\n");
  ::close(end);
}

TEST_F(LogPumpTest, the_last_words_come_out_when_nobody_holds_the_pipe_any_more) {
  LogPipe pipe(*poller_, *pump_, "web");
  const int end = *pipe.open_write_end();
  ASSERT_EQ(::write(end, "no newline", 10), 10);
  ::close(end);
  pipe.drain();
  loop_.run_until_idle();
  EXPECT_EQ(written(), "web | no newline\n");
  EXPECT_FALSE(pipe.is_open());
}

TEST_F(LogPumpTest, the_pipe_outlives_a_restart_while_somebody_still_writes) {
  LogPipe pipe(*poller_, *pump_, "web");
  const int first = *pipe.open_write_end();
  const ino_t inode = pipe.inode();
  const int second = *pipe.open_write_end();
  EXPECT_EQ(pipe.inode(), inode);
  ::close(first);
  ASSERT_EQ(::write(second, "again\n", 6), 6);
  loop_.run_until_idle();
  EXPECT_EQ(written(), "web | again\n");
  ::close(second);
}

TEST_F(LogPumpTest, a_terminal_passes_lines_as_they_were_written_and_ends_with_its_last_holder) {
  LogPipe pipe(*poller_, *pump_, "web", true);
  const int first = *pipe.open_write_end();
  const int second = *pipe.open_write_end();
  EXPECT_EQ(::isatty(first), 1);
  ASSERT_EQ(::write(first, "one\ntwo\n", 8), 8);
  pipe.drain();  // the kernel hands lines on in its own time, and at once to who reads
  loop_.run_until_idle();
  EXPECT_EQ(written(), "web | one\nweb | two\n");
  ::close(first);
  pipe.drain();
  EXPECT_TRUE(pipe.is_open());
  ASSERT_EQ(::write(second, "last", 4), 4);
  ::close(second);
  pipe.drain();
  loop_.run_until_idle();
  EXPECT_EQ(written(), "web | last\n");
  EXPECT_FALSE(pipe.is_open());
}

TEST_F(LogPumpTest, a_reader_that_does_not_read_holds_nobody_up) {
  LogPipe pipe(*poller_, *pump_, "web");
  const int end = *pipe.open_write_end();
  ::fcntl(end, F_SETFL, O_NONBLOCK);
  const std::string line = std::string(99, 'x') + "\n";
  for (int i = 0; i < 50'000; ++i) {
    if (::write(end, line.data(), line.size()) < 0) loop_.run_until_idle();
  }
  pump_->say("still here");
  loop_.run_until_idle();
  std::string all;
  for (std::string some = written(); !some.empty(); some = written()) {
    all += some;
    loop_.run_until_idle();
  }
  EXPECT_NE(all.find("belfry | still here\n"), std::string::npos);
  EXPECT_NE(all.find("lines lost here"), std::string::npos);
  EXPECT_GT(pipe.lines_lost(), 0U);
  ::close(end);
}

}  // namespace
}  // namespace belfry::daemon
