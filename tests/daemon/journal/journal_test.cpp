#include "daemon/journal/journal.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "channels/bell.hpp"
#include "channels/spawn.hpp"

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;

WallMoment noon() { return WallMoment(std::chrono::seconds(1'795'207'408)); }

constexpr std::size_t small = 8192;

struct JournalTest : testing::Test {
  ManualClock clock;
  Loop loop{clock};
  Journal journal{loop, small, &noon};

  void write(std::string_view service, State to = State::ready, const Error& cause = {}) {
    journal.append({.kind = EventKind::state, .from = State::starting, .to = to, .service = service}, cause);
  }
  std::vector<std::string> kept() const {
    std::vector<std::string> all;
    for (Sequence n = journal.first(); n < journal.next(); ++n) all.emplace_back(journal.at(n).service);
    return all;
  }
};

TEST_F(JournalTest, an_event_comes_back_as_it_was_written) {
  clock.advance(3s);
  journal.append({.kind = EventKind::bell,
                  .from = State::waiting,
                  .to = State::starting,
                  .incarnation = 7,
                  .service = "db",
                  .subject = "booted",
                  .cause = "because",
                  .evidence = {.probe = config::Probe::Kind::log,
                               .place = 2,
                               .port = 5432,
                               .pid = 4711,
                               .words = "database system is ready"}});
  ASSERT_EQ(journal.first(), 1U);
  ASSERT_EQ(journal.next(), 2U);
  const JournalEvent event = journal.at(1);
  EXPECT_EQ(event.sequence, 1U);
  EXPECT_EQ(event.at, loop.now());
  EXPECT_EQ(event.wall, noon());
  EXPECT_EQ(event.kind, EventKind::bell);
  EXPECT_EQ(event.from, State::waiting);
  EXPECT_EQ(event.to, State::starting);
  EXPECT_EQ(event.incarnation, 7U);
  EXPECT_EQ(event.service, "db");
  EXPECT_EQ(event.subject, "booted");
  EXPECT_EQ(event.cause, "because");
  EXPECT_EQ(event.evidence.probe, config::Probe::Kind::log);
  EXPECT_EQ(event.evidence.place, 2);
  EXPECT_EQ(event.evidence.port, 5432);
  EXPECT_EQ(event.evidence.pid, 4711);
  EXPECT_EQ(event.evidence.words, "database system is ready");
}

TEST_F(JournalTest, a_cause_is_written_with_its_whole_chain) {
  const Error root = Error::failed("exec: No such file or directory");
  write("api", State::blocked, Error(Error::Kind::failed, "db has failed", root));
  EXPECT_EQ(journal.at(1).cause, "db has failed: exec: No such file or directory");
}

TEST_F(JournalTest, the_oldest_go_when_their_room_is_needed_and_the_others_stay_whole) {
  for (int i = 0; i < 10'000; ++i)
    write(std::to_string(i) + std::string(static_cast<std::size_t>(i % 97), 'x'));
  EXPECT_EQ(journal.next(), 10'001U);
  const auto names = kept();
  EXPECT_GT(names.size(), small / 200);
  int number = 10'000 - static_cast<int>(names.size());
  for (const std::string& name : names) {
    EXPECT_EQ(name, std::to_string(number) + std::string(static_cast<std::size_t>(number % 97), 'x'));
    ++number;
  }
}

TEST_F(JournalTest, texts_that_nobody_reads_to_their_end_are_cut_between_characters) {
  std::string umlauts;
  for (int i = 0; i < 2000; ++i) umlauts += "ü";
  journal.append({.service = umlauts, .subject = umlauts, .evidence = {.words = umlauts}},
                 Error::failed(umlauts).wrap("x"));
  const JournalEvent event = journal.at(1);
  EXPECT_EQ(event.service.size(), 254U);
  EXPECT_EQ(event.subject.size(), 254U);
  EXPECT_EQ(event.evidence.words.size(), 250U);
  EXPECT_LE(event.cause.size(), Journal::longest_cause);
  EXPECT_THAT(std::string(event.cause), EndsWith("ü"));
  EXPECT_TRUE(event.cause.starts_with("x: ü"));
}

TEST_F(JournalTest, only_the_longest_events_fill_it_without_harm) {
  const std::string long_text(5000, 'y');
  for (int i = 0; i < 100; ++i)
    journal.append(
        {.service = long_text, .subject = long_text, .cause = long_text, .evidence = {.words = long_text}});
  EXPECT_GE(journal.next() - journal.first(), 4U);
  for (Sequence n = journal.first(); n < journal.next(); ++n) EXPECT_EQ(journal.at(n).cause.size(), 1000U);
}

TEST_F(JournalTest, what_lies_behind_a_reader_is_counted_in_bytes) {
  EXPECT_EQ(journal.bytes_since(1), 0U);
  write("db");
  const std::size_t one = journal.bytes_since(1);
  EXPECT_GT(one, 40U);
  EXPECT_LE(one, 64U);
  write("db");
  EXPECT_EQ(journal.bytes_since(1), 2 * one);
  EXPECT_EQ(journal.bytes_since(2), one);
  EXPECT_EQ(journal.bytes_since(3), 0U);
  for (int i = 0; i < 1000; ++i) write("db");
  EXPECT_LE(journal.bytes_since(1), small);
}

// Who writes down each wake-up that the reader has had.
Task<void> read_on(JournalReader& reader, Context& ctx, int& woken) {
  for (;;) {
    const Result<void> news = co_await reader.news(ctx);
    if (!news) co_return;
    ++woken;
  }
}

TEST_F(JournalTest, a_reader_is_woken_once_for_all_that_was_written_in_a_turn) {
  Context reading(loop);
  JournalReader reader(journal);
  int woken = 0;
  TaskHandle task = spawn(loop, "reader", read_on(reader, reading, woken));
  loop.run_until_idle();
  write("a");
  write("b");
  write("c");
  EXPECT_EQ(woken, 0);
  loop.run_until_idle();
  EXPECT_EQ(woken, 1);
  write("d");
  loop.run_until_idle();
  EXPECT_EQ(woken, 2);
  reading.cancel();
  loop.run_until_idle();
  EXPECT_TRUE(task.done());
}

Task<void> note_when_it_runs(Bell<>& bell, Context& ctx, const int& woken, int& woken_before) {
  const Outcome rung = co_await bell.wait(ctx);
  static_cast<void>(rung);
  woken_before = woken;
}

TEST_F(JournalTest, whoever_a_bell_releases_goes_before_every_reader) {
  Context reading(loop);
  JournalReader reader(journal);
  Bell<> bell(loop, "ready");
  int woken = 0, woken_before = -1;
  TaskHandle task = spawn(loop, "reader", read_on(reader, reading, woken));
  TaskHandle dependent = spawn(loop, "dependent", note_when_it_runs(bell, reading, woken, woken_before));
  loop.run_until_idle();
  loop.post([this, &bell] {
    write("db");
    bell.ring();
  });
  loop.run_until_idle();
  EXPECT_EQ(woken_before, 0);
  EXPECT_EQ(woken, 1);
  reading.cancel();
  loop.run_until_idle();
  EXPECT_TRUE(task.done());
  EXPECT_TRUE(dependent.done());
}

TEST_F(JournalTest, a_reader_that_has_gone_is_told_nothing) {
  {
    const JournalReader reader(journal);
    write("db");
  }
  loop.run_until_idle();
  EXPECT_EQ(kept().size(), 1U);
}

TEST(EventKinds, have_names_that_lead_back_to_them) {
  for (std::size_t i = 0; i < event_kind_count; ++i)
    EXPECT_EQ(event_kind_named(name_of(static_cast<EventKind>(i))), static_cast<EventKind>(i));
  EXPECT_EQ(event_kind_named("nonsense"), std::nullopt);
}

}  // namespace
}  // namespace belfry::daemon
