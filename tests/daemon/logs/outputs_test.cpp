#include "daemon/logs/outputs.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "channels/loop.hpp"
#include "daemon/logs/log_book.hpp"
#include "daemon/logs/pipes.hpp"
#include "system/log_file.hpp"

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;

// A service's pipes that go to a ring and to a file of the test's.
class LogOutputsTest : public testing::Test {
 protected:
  LogOutputsTest() {
    std::string name = "/tmp/belfry-outputs-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  ~LogOutputsTest() override {
    pipes_.reset();
    outputs_.reset();
    pump_.reset();
    loop_.abandon();
    poller_.reset();
    std::filesystem::remove_all(directory_);
  }
  void begin(LineStyle style = {}, bool apart = false) {
    poller_ = std::make_unique<system::Poller>(root_);
    pump_ = std::make_unique<LogPump>(
        loop_,
        std::make_unique<system::LogFile>(
            file(), system::LogFile::Rotation{},
            [](std::uint64_t lines, std::string_view) { return "lost " + std::to_string(lines) + "\n"; }),
        style);
    outputs_ = std::make_unique<LogOutputs>(&page_);
    outputs_->add_output(*pump_, "web", style);
    pipes_ = std::make_unique<LogPipes>(*poller_, *outputs_, LogPipeOptions{}, apart);
    auto ends = pipes_->open_write_ends();
    ASSERT_TRUE(ends);
    ends_ = std::move(*ends);
  }
  static void write(const system::OwnedFd& end, std::string_view text) {
    ASSERT_EQ(::write(end.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] std::string file() const { return directory_ + "/web.log"; }
  std::string written() {
    loop_.run_until_idle();
    pump_->finish(30s);
    std::ostringstream text;
    text << std::ifstream(file()).rdbuf();
    return text.str();
  }

  std::string directory_;
  ManualClock clock_;
  Loop loop_{clock_};
  Context root_{loop_};
  std::unique_ptr<system::Poller> poller_;
  LogBook book_{loop_, {"web"}};
  LogPage& page_ = book_.page(0);
  std::unique_ptr<LogPump> pump_;
  std::unique_ptr<LogOutputs> outputs_;
  std::unique_ptr<LogPipes> pipes_;
  LogPipes::WriteEnds ends_;
};

TEST_F(LogOutputsTest, a_line_goes_to_the_file_and_stays_in_the_ring) {
  begin();
  pipes_->begin_run(7);
  write(ends_.output, "hello\n");
  EXPECT_EQ(written(), "web | hello\n");
  page_.ring().visit_from(0, [](const RingLine& line) {
    EXPECT_EQ(line.text, "hello");
    EXPECT_EQ(line.origin.incarnation, 7U);
    EXPECT_GT(line.origin.at.time_since_epoch(), 0s);
    return true;
  });
  EXPECT_EQ(page_.ring().next(), 2U);
}

TEST_F(LogOutputsTest, streams_with_a_pipe_each_are_told_apart) {
  begin({.form = LineStyle::Form::json}, true);
  write(ends_.output, "out\n");
  write(ends_.errors, "err\n");
  const std::string text = written();
  EXPECT_NE(text.find(R"("stream":"stdout","line":"out"})"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("stream":"stderr","line":"err"})"), std::string::npos) << text;
}

TEST_F(LogOutputsTest, what_is_in_a_pipe_at_the_end_is_read_although_the_source_rests) {
  begin({.form = LineStyle::Form::raw, .ends_lines = false});
  std::string flood;
  while (flood.size() < 60'000) flood += "a line of a flood\n";
  std::string all;
  for (int i = 0; i < 14; ++i) {  // more than one turn of it; nothing is written meanwhile
    write(ends_.output, flood);
    all += flood;
    pipes_->drain();
  }
  write(ends_.output, "last words");
  ends_ = {};
  pipes_->drain_last_words();
  EXPECT_FALSE(pipes_->is_open());
  EXPECT_EQ(outputs_->lines_lost(), 0U);
  EXPECT_TRUE(written() == all + "last words");
}

TEST_F(LogOutputsTest, a_service_waits_when_it_asks_for_it_and_goes_on_when_there_is_room) {
  std::filesystem::remove(file());
  begin({.form = LineStyle::Form::raw, .ends_lines = false, .may_drop = false});
  ::fcntl(ends_.output.get(), F_SETFL, O_NONBLOCK);
  const std::string line(999, 'x');
  std::size_t count = 0;
  for (int turns = 0; turns < 20'000 && count < 10'000; ++turns) {
    while (count < 10'000 && ::write(ends_.output.get(), (line + "\n").data(), 1000) > 0) ++count;
    loop_.run_until_idle();
    pump_->finish(1ms);
  }
  EXPECT_EQ(count, 10'000U);
  EXPECT_EQ(written().size(), 10'000'000U);
  EXPECT_EQ(outputs_->lines_lost(), 0U);
}

TEST_F(LogOutputsTest, what_a_larger_pipe_holds_at_the_end_is_not_dropped_before_it_can_be_written) {
  begin({.form = LineStyle::Form::json});
  ASSERT_GT(::fcntl(ends_.output.get(), F_SETPIPE_SZ, 1 << 19), 0);
  std::string flood;
  while (flood.size() < 500'000) flood += std::string(60, 'x') + "\n";
  write(ends_.output, flood);
  ends_ = {};
  pipes_->drain_last_words();
  EXPECT_FALSE(pipes_->is_open());
  EXPECT_EQ(outputs_->lines_lost(), 0U) << "1.4 MB as JSON";
  EXPECT_EQ(std::ranges::count(written(), '\n'), std::ranges::count(flood, '\n'));
}

TEST_F(LogOutputsTest, short_lines_in_a_long_form_fit_into_what_is_held) {
  begin({.form = LineStyle::Form::json});
  ::fcntl(ends_.output.get(), F_SETFL, O_NONBLOCK);
  const std::string lines = "x\ny\nz\n";
  long count = 0;
  while (count < 200'000) {
    while (count < 200'000 && ::write(ends_.output.get(), lines.data(), lines.size()) > 0) count += 3;
    loop_.run_until_idle();
    pump_->finish(1ms);
  }
  ends_ = {};
  while (pipes_->is_open()) {
    loop_.run_until_idle();
    pump_->finish(1ms);
  }
  EXPECT_EQ(std::ranges::count(written(), '\n'), count);
  EXPECT_EQ(outputs_->lines_lost(), 0U);
}

// A target that takes nothing until it is let.
class StuckTarget final : public system::OutputTarget {
 public:
  explicit StuckTarget(int gate) : gate_(gate) {}
  ssize_t write(std::string_view lines) override {
    char byte = 0;
    if (::read(gate_, &byte, 1) < 0) return -EIO;  // waits until the other end is closed
    return static_cast<ssize_t>(lines.size());
  }
  std::string marker(std::uint64_t, std::string_view) override { return "lost\n"; }

 private:
  int gate_;
};

TEST_F(LogOutputsTest, only_a_service_that_may_lose_lines_goes_on_when_nothing_is_written) {
  for (const bool may_drop : {true, false}) {
    int gate[2];
    ASSERT_EQ(::pipe2(gate, O_CLOEXEC), 0);
    {
      if (!poller_) poller_ = std::make_unique<system::Poller>(root_);
      LogPump pump(loop_, std::make_unique<StuckTarget>(gate[0]), {});
      LogOutputs outputs;
      std::uint64_t lost = 0;
      outputs.on_lost = [&](std::uint64_t lines) { lost += lines; };
      outputs.add_output(pump, "web", {.may_drop = may_drop});
      LogPipe pipe(*poller_, outputs);
      const system::OwnedFd end = std::move(*pipe.open_write_end());
      ::fcntl(end.get(), F_SETFL, O_NONBLOCK);
      const std::string line = std::string(999, 'x') + "\n";
      std::size_t count = 0;
      for (int i = 0; i < 400; ++i) {
        while (::write(end.get(), line.data(), line.size()) > 0 && count < 20'000) ++count;
        loop_.run_until_idle();
        loop_.advance(100ms);
      }
      if (may_drop) {
        EXPECT_EQ(count, 20'000U);
        EXPECT_GT(lost, 10'000U);
        EXPECT_EQ(lost, outputs.lines_lost());
      } else {
        EXPECT_LT(count, 2500U) << "it stands";
        EXPECT_EQ(lost, 0U);
      }
      ::close(gate[1]);
      pump.finish(30s);
    }
    ::close(gate[0]);
  }
}

}  // namespace
}  // namespace belfry::daemon
