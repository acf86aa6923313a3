#include "daemon/logs/ring.hpp"

#include <gtest/gtest.h>

#include <string>
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

}  // namespace
}  // namespace belfry::daemon
