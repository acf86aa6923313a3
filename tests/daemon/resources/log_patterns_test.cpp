#include "daemon/resources/log_patterns.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <ctime>
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
    std::vector<const config::Probe*> all;
    for (const config::Probe& probe : probes) all.push_back(&probe);
    pipe = std::make_unique<LogPipe>(poller, pump, "db");
    patterns = std::make_unique<LogPatterns>(ears, *pipe, all);
    writer = std::move(*pipe->open_write_end());
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
  LogPump pump{loop, output[1]};
  Ears ears;
  std::deque<config::Probe> probes;
  std::unique_ptr<LogPipe> pipe;
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

// 64 KiB of a text that the automaton has no room for, of a large expression: no turn takes longer than 50
// ms.
TEST_F(LogPatternsTest, a_costly_expression_is_held_against_little_at_a_time) {
  expect("[ab]*a[ab]{800}c");
  begin();
  std::string text;
  for (unsigned bits = 1; text.size() < 60'000; bits = bits * 1664525U + 1013904223U)
    text.push_back((bits >> 16 & 1U) != 0 ? 'a' : 'b');
  for (std::size_t at = 1000; at < text.size(); at += 1000) text[at] = '\n';
  ASSERT_EQ(::write(writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  std::clock_t longest = 0;
  for (bool moved = true; moved;) {
    const std::clock_t before = std::clock();
    moved = loop.step();
    longest = std::max(longest, std::clock() - before);
  }
  EXPECT_LT(longest,
            CLOCKS_PER_SEC / 4);  // of this process's own time; the measured 40 ms, and room for sanitizers
}

}  // namespace
}  // namespace belfry::daemon
