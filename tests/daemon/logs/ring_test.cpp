#include "daemon/logs/ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "daemon/logs/splitter.hpp"

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;

LineOrigin origin(std::uint64_t incarnation, LogStream stream = LogStream::output) {
  return {.at = std::chrono::system_clock::time_point(1s * incarnation),
          .incarnation = incarnation,
          .stream = stream};
}

std::vector<std::string> texts(const LogRing& ring, std::uint64_t from = 0) {
  std::vector<std::string> all;
  ring.visit_from(from, [&](const RingLine& line) {
    all.emplace_back(line.text);
    return true;
  });
  return all;
}

using Texts = std::vector<std::string>;

TEST(LogRing, keeps_lines_with_their_number_time_run_and_stream) {
  LineOrder order;
  LogRing ring(order);
  EXPECT_EQ(ring.first(), ring.next());
  ring.add({.bytes = "one\ntwo\n"}, origin(1));
  ring.add({.bytes = "three\n"}, origin(2, LogStream::standard_error));
  std::vector<RingLine> lines;
  ring.visit_from(0, [&](const RingLine& line) {
    lines.push_back(line);
    return true;
  });
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1].sequence, 2U);
  EXPECT_EQ(lines[1].text, "two");
  EXPECT_EQ(lines[1].origin.incarnation, 1U);
  EXPECT_EQ(lines[2].origin.at.time_since_epoch(), 2s);
  EXPECT_EQ(lines[2].origin.stream, LogStream::standard_error);
  EXPECT_EQ(ring.first(), 1U);
  EXPECT_EQ(ring.next(), 4U);
}

TEST(LogRing, is_read_on_from_where_one_stopped) {
  LineOrder order;
  LogRing ring(order);
  for (int i = 1; i <= 10; ++i) ring.add({.bytes = std::to_string(i) + "\n"}, origin(1));
  Texts some;
  const std::uint64_t next = ring.visit_from(3, [&](const RingLine& line) {
    some.emplace_back(line.text);
    return some.size() < 2;
  });
  EXPECT_EQ(some, (Texts{"3", "4"}));
  EXPECT_EQ(next, 5U);
  EXPECT_EQ(texts(ring, next).front(), "5");
  EXPECT_EQ(texts(ring, 10), Texts{"10"});
  EXPECT_EQ(texts(ring, 11), Texts{});
  EXPECT_EQ(ring.visit_from(11, [](const RingLine&) { return true; }), 11U);
  ring.add({.bytes = "11\n"}, origin(1));
  EXPECT_EQ(texts(ring, 11), Texts{"11"});
}

TEST(LogRing, holds_a_mebibyte_of_the_newest_and_numbers_go_on) {
  LineOrder order;
  LogRing ring(order);
  for (int i = 1; i <= 100'000; ++i) ring.add({.bytes = std::to_string(i) + "\n"}, origin(1));
  EXPECT_LE(ring.bytes(), LogRing::capacity);
  EXPECT_GT(ring.bytes(), LogRing::capacity / 8 * 7);
  EXPECT_GT(ring.first(), 1U);
  const Texts all = texts(ring);
  EXPECT_EQ(all.size(), ring.next() - ring.first());
  EXPECT_EQ(all.front(), std::to_string(ring.first()));
  EXPECT_EQ(all.back(), "100000");
  EXPECT_EQ(texts(ring, 1).front(), all.front()) << "what has gone is left out";
}

TEST(LogRing, what_is_read_at_once_is_kept_in_one_piece_also_when_it_is_much) {
  LineOrder order;
  LogRing ring(order);
  std::string flood;
  for (int i = 1; flood.size() < 3'000'000; ++i) flood += std::to_string(i) + "\n";
  ring.add({.bytes = flood}, origin(1));
  EXPECT_LE(ring.bytes(), LogRing::capacity);
  EXPECT_EQ(texts(ring).back() + "\n", flood.substr(flood.rfind('\n', flood.size() - 2) + 1));
  EXPECT_EQ(ring.next(), static_cast<std::uint64_t>(std::ranges::count(flood, '\n')) + 1);
}

TEST(LogRing, empty_lines_are_lines_and_bytes_are_bytes) {
  LineOrder order;
  LogRing ring(order);
  const std::string_view bytes("\n\n\0\xff\n", 5);
  ring.add({.bytes = bytes}, origin(1));
  EXPECT_EQ(texts(ring), (Texts{"", "", std::string("\0\xff", 2)}));
}

TEST(LogRing, pieces_of_a_cut_line_tell_of_each_other) {
  LineOrder order;
  LogRing ring(order);
  LineSplitter splitter(ring, 4);
  splitter.take("abcdefgh", origin(1));
  splitter.take("ij\nk", origin(1));
  splitter.finish(origin(1));
  std::vector<std::string> seen;
  ring.visit_from(0, [&](const RingLine& line) {
    seen.push_back((line.continued ? ".." : "") + std::string(line.text) + (line.goes_on ? ".." : ""));
    return true;
  });
  EXPECT_EQ(seen, (Texts{"abcd..", "..efgh..", "..ij", "k"}));
}

TEST(LogRing, a_line_that_is_too_long_to_keep_is_kept_up_to_a_point) {
  LineOrder order;
  LogRing ring(order);
  ring.add({.bytes = std::string(900'000, 'x') + "\n"}, origin(1));
  ring.add({.bytes = "next\n"}, origin(1));
  const Texts all = texts(ring);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].size(), LogRing::longest_kept);
  EXPECT_EQ(all[1], "next");
}

TEST(LogRing, a_quiet_service_costs_little) {
  LineOrder order;
  LogRing ring(order);
  ring.add({.bytes = "listening\n"}, origin(1));
  EXPECT_LT(ring.bytes(), 128U);
}

// Lines of one to a few, of different lengths, read at once; more than a ring holds.
void fill(LogRing& ring, int pieces) {
  int line = 0;
  for (int i = 0; i < pieces; ++i) {
    std::string text;
    for (int n = 0; n <= i % 7; ++n)
      text += std::to_string(++line) + std::string(static_cast<std::size_t>(i % 13) * 10, 'x') + "\n";
    ring.add({.bytes = text}, origin(1));
  }
}

TEST(RingCursor, reads_on_wherever_it_stopped_and_misses_nothing_that_is_held) {
  LineOrder order;
  LogRing ring(order);
  RingCursor at;
  RingLine line;
  EXPECT_FALSE(ring.read(at, line));
  std::uint64_t expected = 1;
  for (int round = 0; round < 50; ++round) {
    fill(ring, 200);
    for (; ring.read(at, line); ++expected) ASSERT_EQ(line.number, expected);
    ASSERT_EQ(at.next, ring.next());
  }
  EXPECT_GT(ring.first(), 1U);
}

TEST(RingCursor, anywhere_gives_the_same_lines_as_one_that_came_there_by_reading) {
  LineOrder order;
  LogRing ring(order);
  fill(ring, 12'000);
  RingCursor read{.next = ring.first()};
  for (RingLine line; ring.read(read, line);) {
    if (line.number % 97 != 0) continue;
    RingCursor put{.next = line.number};
    RingLine same;
    ASSERT_TRUE(ring.read(put, same));
    ASSERT_EQ(same.text, line.text);
    ASSERT_EQ(same.number, line.number);
    ASSERT_EQ(same.sequence, line.sequence);
  }
}

TEST(RingCursor, whose_lines_have_gone_goes_on_with_the_first_that_is_held) {
  LineOrder order;
  LogRing ring(order);
  ring.add({.bytes = "one\ntwo\n"}, origin(1));
  RingCursor at;
  RingLine line;
  ASSERT_TRUE(ring.read(at, line));
  for (int i = 0; i < 40; ++i) ring.add({.bytes = std::string(60'000, 'x') + "\n"}, origin(1));
  ASSERT_TRUE(ring.read(at, line));
  EXPECT_EQ(line.number, ring.first());
  EXPECT_EQ(ring.last_gone(), ring.first() - 1);
}

TEST(LogRings, count_their_lines_in_one_order_and_each_for_itself) {
  LineOrder order;
  LogRing db(order);
  LogRing api(order);
  db.add({.bytes = "1\n2\n"}, origin(1));
  api.add({.bytes = "3\n"}, origin(1));
  db.add({.bytes = "4\n5\n6\n"}, origin(1));
  RingLine line;
  for (const auto& [sequence, text] : std::vector<std::pair<std::uint64_t, std::string>>{
           {0, "1"}, {1, "2"}, {2, "4"}, {3, "4"}, {4, "5"}, {5, "6"}}) {
    RingCursor at = db.behind(sequence);
    ASSERT_TRUE(db.read(at, line));
    EXPECT_EQ(line.text, text) << sequence;
  }
  RingCursor at = db.behind(6);
  EXPECT_FALSE(db.read(at, line));
  at = api.behind(2);
  ASSERT_TRUE(api.read(at, line));
  EXPECT_EQ(line.number, 1U);
  EXPECT_EQ(line.sequence, 3U);
  at = api.behind(3);
  EXPECT_FALSE(api.read(at, line));
}

}  // namespace
}  // namespace belfry::daemon
