#include "daemon/logs/log_reader.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "channels/context.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"

namespace belfry::daemon {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t all_of_them = std::numeric_limits<std::uint64_t>::max();

Task<void> wait_for_news(LogReader& reader, Context& ctx, bool& told) {
  const Result<void> news = co_await reader.news(ctx);
  told = news.has_value();
}

struct LogReaderTest : testing::Test {
  ManualClock clock;
  Loop loop{clock};
  LogBook book{loop, {"db", "api", "web"}};
  Context forever{loop};
  WaitGroup waiting{loop};

  void write(std::size_t page, std::string_view lines) { book.page(page).add({.bytes = lines}, {}); }
  static std::vector<std::string> read(LogReader& reader, std::uint64_t until = all_of_them,
                                       std::size_t most = 100) {
    std::vector<std::string> lines;
    reader.read(until, [&](std::size_t, const RingLine& line) {
      lines.emplace_back(line.text);
      return lines.size() < most;
    });
    return lines;
  }
  bool is_told_of(const std::function<void()>& what, std::vector<std::size_t> pages) {
    LogReader reader(book, std::move(pages));
    bool told = false;
    spawn(waiting, "reader", wait_for_news(reader, forever, told));
    loop.run_until_idle();
    EXPECT_FALSE(told);
    what();
    loop.run_until_idle();
    const bool was_told = told;
    forever.cancel();
    loop.run_until_idle();
    return was_told;
  }
};

TEST_F(LogReaderTest, lines_come_in_the_order_in_which_they_were_read_whoever_wrote_them) {
  write(0, "1\n2\n");
  write(1, "3\n");
  write(0, "4\n");
  write(book.own(), "5\n");
  LogReader reader(book, {book.own(), 1, 0, 1});
  EXPECT_EQ(reader.size(), 3U);
  EXPECT_THAT(read(reader, all_of_them, 3), ElementsAre("1", "2", "3"));
  write(1, "6\n");
  EXPECT_THAT(read(reader), ElementsAre("4", "5", "6"));
  EXPECT_THAT(read(reader), ElementsAre());
}

TEST_F(LogReaderTest, who_reads_of_a_service_that_goes_is_told_and_reads_to_its_end) {
  write(0, "1\n");
  {
    LogReader reader(book, {0, 1});
    book.forget(0);
    EXPECT_FALSE(reader.is_at_the_last()) << "another one is still there";
    book.forget(1);
    EXPECT_TRUE(reader.is_at_the_last());
    EXPECT_THAT(read(reader), ElementsAre("1"));
  }
  EXPECT_EQ(book.ring(0), nullptr) << "with the last reader the lines go";
  EXPECT_TRUE(is_told_of([this] { book.forget(2); }, {2}));
}

TEST_F(LogReaderTest, what_comes_later_than_asked_for_is_left_for_another_time) {
  write(0, "1\n");
  LogReader reader(book, {0, 1});
  const std::uint64_t now = book.next_sequence();
  write(1, "2\n");
  EXPECT_THAT(read(reader, now), ElementsAre("1"));
  EXPECT_THAT(read(reader), ElementsAre("2"));
}

TEST_F(LogReaderTest, one_number_says_how_far_all_have_been_read) {
  for (int i = 1; i <= 30; ++i) write(static_cast<std::size_t>(i) % 3, std::to_string(i) + "\n");
  LogReader reader(book, {0, 1, 2});
  reader.go_behind(27);
  EXPECT_THAT(read(reader), ElementsAre("28", "29", "30"));
}

TEST_F(LogReaderTest, lines_that_have_gone_unread_are_counted_once) {
  write(0, "1\n2\n3\n");
  LogReader reader(book, {0});
  EXPECT_THAT(read(reader, all_of_them, 1), ElementsAre("1"));
  for (int i = 0; i < 40; ++i) write(0, std::string(60'000, 'x') + "\n");
  const std::uint64_t gone = book.ring(0)->first() - 1;
  EXPECT_EQ(reader.take_missed(0), gone - 1);
  EXPECT_EQ(reader.take_missed(0), 0U);
  EXPECT_EQ(read(reader).size(), 40 + 3 - gone);
}

TEST_F(LogReaderTest, who_follows_a_service_is_told_of_its_lines) {
  EXPECT_TRUE(is_told_of([this] { write(1, "x\n"); }, {1}));
}

TEST_F(LogReaderTest, who_follows_another_service_is_not) {
  LogReader of_both(book, {0, 1});  // somebody follows it
  EXPECT_FALSE(is_told_of([this] { write(1, "x\n"); }, {0}));
}

TEST_F(LogReaderTest, a_service_that_nobody_follows_any_more_wakes_nothing) {
  {
    LogReader gone(book, {0});
  }
  write(0, "x\n");
  EXPECT_EQ(loop.run_until_idle(), 0U);
}

}  // namespace
}  // namespace belfry::daemon
