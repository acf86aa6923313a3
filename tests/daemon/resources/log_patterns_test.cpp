#include "daemon/resources/log_patterns.hpp"

#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "channels/context.hpp"
#include "channels/loop.hpp"

namespace belfry::daemon {
namespace {

// What a service would hear.
struct Ears final : ServiceEvents {
  void said(const NotifyMessage&) override {}
  void refused(NotifyRefusal) override {}
  void descriptors_stored(std::uint32_t) override {}
  void descriptors_refused(std::size_t) override {}
  void main_process_is(pid_t) override {}
  void main_ended(pid_t, std::optional<system::ExitStatus>) override {}
  void heard(const Heard& what) override { all.push_back(what.only->target); }
  void never_heard(const config::Probe&, const Error&) override {}
  void publish(std::string_view key, std::string_view value) override {
    published.push_back(std::string(key) + "=" + std::string(value));
  }
  void sockets_changed() override {}
  void lines_dropped(std::uint64_t) override {}
  RunFacts facts() const override { return {}; }
  std::vector<std::string> all, published;
};

using Heards = std::vector<std::string>;

struct LogPatternsTest : testing::Test {
  LogPatternsTest() { EXPECT_EQ(::pipe(output.data()), 0); }
  ~LogPatternsTest() override {
    patterns.reset();
    pipe.reset();
    loop.abandon();
    ::close(output[0]);
    ::close(output[1]);
  }
  void expect(const std::string& regex, std::uint32_t times = 1) {
    config::Probe& probe = probes.emplace_back();
    probe.kind = config::Probe::Kind::log;
    probe.target = regex;
    probe.times = times;
  }
  void begin() {
    patterns.reset();
    std::vector<const config::Probe*> all;
    for (const config::Probe& probe : probes) all.push_back(&probe);
    pipe = std::make_unique<LogPipes>(poller, outputs, LogPipeOptions{}, false);
    patterns = std::make_unique<LogPatterns>(ears, *pipe, all);
    writer = std::move(pipe->open_write_ends()->output);
    patterns->begin_run();
  }
  void write(const std::string& text) {
    ASSERT_EQ(::write(writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    pipe->drain();
  }

  std::array<int, 2> output{};
  Loop loop;
  Context root{loop};
  system::Poller poller{root};
  Ears ears;
  std::deque<config::Probe> probes;
  LogOutputs outputs;
  std::unique_ptr<LogPipes> pipe;
  std::unique_ptr<LogPatterns> patterns;
  system::OwnedFd writer;
};

TEST_F(LogPatternsTest, a_line_counts_once_however_often_it_matches) {
  expect("up", 2);
  begin();
  write("up up up\n");
  EXPECT_EQ(ears.all, Heards{});
  write("still up\n");
  EXPECT_EQ(ears.all, Heards{"up"});
  write("up\n");
  EXPECT_EQ(ears.all, Heards{"up"}) << "once a run";
}

TEST_F(LogPatternsTest, each_run_counts_anew) {
  expect("up", 2);
  begin();
  write("up\n");
  patterns->begin_run();
  write("up\n");
  EXPECT_EQ(ears.all, Heards{});
}

TEST_F(LogPatternsTest, a_last_line_counts_without_its_end) {
  expect("^done$");
  begin();
  write("almost\ndone");
  EXPECT_EQ(ears.all, Heards{}) << "it may go on";
  pipe->drain_last_words();
  EXPECT_EQ(ears.all, Heards{"^done$"});
}

TEST_F(LogPatternsTest, a_last_line_that_somebody_else_ends_is_not_counted_twice) {
  expect("up", 2);
  expect("up and running");
  begin();
  write("up and ");
  pipe->drain_last_words();
  write("running\n");
  EXPECT_EQ(ears.all, Heards{"up and running"});
  write("up\n");
  EXPECT_EQ(ears.all, (Heards{"up and running", "up"}));
}

// What a turn looks through is a line that began long before, of which half a turn's share counts, and what
// it reads; together bytes times steps are never more than Pattern::most_work, which is some 35 ms at the
// slowest.
struct LogPatternsCost : LogPatternsTest {
  std::size_t steps() const {
    std::size_t all = 0;
    for (const config::Probe& probe : probes) all += config::Pattern::compile(probe.target)->steps();
    return all;
  }
  std::size_t share() const { return config::Pattern::reach_of(steps()) / 2; }
  std::size_t unread() {
    int bytes = 0;
    EXPECT_EQ(::ioctl(writer.get(), FIONREAD, &bytes), 0);
    return static_cast<std::size_t>(bytes);
  }
  // Longer than its share, with `what` at its end.
  std::string long_line(std::size_t length, const std::string& what) {
    return std::string(length - what.size(), 'a') + what;
  }
};

TEST_F(LogPatternsCost, a_turn_reads_half_of_what_may_be_looked_through) {
  for (const char* costly : {"[ab]*a[ab]{800}c", "[ab]*a[ab]{700}c", "a{30}d"}) expect(costly);
  begin();
  const std::string text(60'000, 'b');
  ASSERT_EQ(::write(writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  std::size_t turns = 0;
  for (std::size_t before = unread(); before > 0; before = unread()) {
    ASSERT_TRUE(loop.step());
    const std::size_t read = before - unread();
    EXPECT_LE(2 * read * steps(), config::Pattern::most_work);
    if (read > 0) ++turns;
  }
  EXPECT_GE(turns, text.size() / share());
}

TEST_F(LogPatternsCost, of_a_long_line_the_other_half_is_looked_at) {
  expect("xyz|[ab]{900}c");
  expect("zyx|[ab]{900}c");
  begin();
  ASSERT_LT(share(), 2000U);
  write(long_line(share() + 1, "xyz") + "\n");
  EXPECT_EQ(ears.all, Heards{});
  write(long_line(share(), "xyz") + "b\n");
  EXPECT_EQ(ears.all, Heards{"xyz|[ab]{900}c"});
}

TEST_F(LogPatternsCost, what_an_ended_process_has_left_is_looked_at_as_far_as_one_turn_goes) {
  for (const bool is_costly : {false, true}) {
    SCOPED_TRACE(is_costly);
    ears.all.clear();
    probes.clear();
    expect(is_costly ? "xyz|[ab]{900}c" : "xyz");
    begin();
    std::string text;
    for (int i = 0; i < 600; ++i) text += std::string(99, 'a') + "\n";
    ASSERT_EQ(is_costly, text.size() > 2 * share());
    write(text + "xyz\n");
    EXPECT_EQ(ears.all.empty(), is_costly);
    write("xyz\n");  // the next turn has its own
    EXPECT_FALSE(ears.all.empty());
  }
}

TEST_F(LogPatternsCost, an_empty_line_has_its_price) {
  expect("x");
  begin();
  write(std::string(60'000, '\n') + "x\n");  // less than reach_of(20)
  EXPECT_EQ(ears.all, Heards{"x"});
  for (int i = 0; i < 20; ++i) expect("y");
  begin();
  write(std::string(60'000, '\n') + "y\n");
  EXPECT_EQ(ears.all, Heards{"x"});
}

}  // namespace
}  // namespace belfry::daemon
