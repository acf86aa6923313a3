#include "daemon/logs/lines.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/daemon/logs/written_lines.hpp"

namespace belfry::daemon {
namespace {

using testing_support::WrittenLines;

std::string take_all(WrittenLines& written) { return written.taken(); }

TEST(LogLines, each_line_gets_the_name_in_front) {
  WrittenLines lines("db");
  lines.take("one\ntwo\n");
  EXPECT_EQ(take_all(lines), "db | one\ndb | two\n");
  EXPECT_TRUE(lines.lines.empty());
}

TEST(LogLines, an_unfinished_line_waits_for_its_end) {
  WrittenLines lines("db");
  lines.take("hal");
  EXPECT_TRUE(lines.lines.empty());
  lines.take("f\nnext");
  EXPECT_EQ(take_all(lines), "db | half\n");
  lines.finish();
  EXPECT_EQ(take_all(lines), "db | next\n");
}

TEST(LogLines, a_line_within_its_bound_comes_out_as_one) {
  WrittenLines lines("db");
  const std::string json = "{" + std::string(500'000, 'x') + "}";
  for (std::size_t at = 0; at < json.size(); at += 65536) lines.take(json.substr(at, 65536));
  lines.take("\nnext\n");
  EXPECT_EQ(take_all(lines), "db | " + json + "\ndb | next\n");
}

TEST(LogLines, a_longer_line_is_cut_and_says_so_at_both_ends) {
  WrittenLines lines("db", {}, 10);
  lines.take("0123456789");
  EXPECT_TRUE(lines.lines.empty()) << "it may end here";
  lines.take("abcdefghijklm\n");
  lines.take("next\n");
  EXPECT_EQ(take_all(lines),
            "db | 0123456789 [belfry: line cut here, goes on below]\n"
            "db | [belfry: line continued] abcdefghij [belfry: line cut here, goes on below]\n"
            "db | [belfry: line continued] klm\n"
            "db | next\n");
}

TEST(LogLines, a_line_of_just_its_bound_is_whole) {
  WrittenLines lines("db", {}, 10);
  lines.take("0123456789\n0123456789\n");
  EXPECT_EQ(take_all(lines), "db | 0123456789\ndb | 0123456789\n");
}

TEST(LogLines, no_character_is_cut_in_two) {
  for (const std::string letter : {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x94\x94"}) {
    std::string text;
    while (text.size() < 40) text += letter;
    WrittenLines lines("", {}, 11);
    struct Pieces final : LineListener {
      void on_line(std::string_view line) override { all.emplace_back(line); }
      std::vector<std::string> all;
    } pieces;
    lines.splitter.listener = &pieces;
    lines.take(text + "\n");
    std::string joined;
    for (const std::string& piece : pieces.all) {
      EXPECT_EQ(piece.size() % letter.size(), 0U);
      joined += piece;
    }
    EXPECT_EQ(joined, text);
  }
}

TEST(LogLines, bytes_that_are_no_text_are_cut_and_none_is_missing) {
  WrittenLines lines("", {}, 1024);
  struct Pieces final : LineListener {
    void on_line(std::string_view line) override { all += line; }
    std::string all;
  } pieces;
  lines.splitter.listener = &pieces;
  std::string noise;
  for (int i = 0; i < 10'000; ++i) noise.push_back(static_cast<char>(128 + (i * 7) % 128));
  lines.take(noise);
  lines.finish();
  EXPECT_EQ(pieces.all, noise);
}

TEST(LogLines, a_long_line_is_not_pushed_out_by_what_comes_right_behind_it) {
  WrittenLines lines("a");
  lines.take(std::string(LineSplitter::usual_longest, 'x') + "\nbehind\n");
  EXPECT_EQ(lines.lines.lost_in_all(), 0U);
  EXPECT_TRUE(take_all(lines).ends_with("x\na | behind\n"));
}

TEST(LogLines, a_listener_hears_each_line_whole_also_those_that_are_dropped_later) {
  struct Listener final : LineListener {
    void on_line(std::string_view line) override {
      ++heard;
      last = line;
    }
    std::size_t heard = 0;
    std::string last;
  } listener;
  WrittenLines lines("db");
  lines.splitter.listener = &listener;
  lines.take("hal");
  EXPECT_EQ(listener.heard, 0U);
  lines.take("f\n");
  EXPECT_EQ(listener.last, "half") << "without the name of the service";
  for (int i = 1; i < 3000; ++i) lines.take(std::string(1000, 'x') + "\n");
  EXPECT_GT(lines.lines.lost_in_all(), 0U);
  EXPECT_EQ(listener.heard, 3000U);
}

TEST(LogLines, it_moves_whole_lines_as_many_as_fit_and_at_least_one) {
  WrittenLines lines("a");
  lines.take("1\n22\n333\n");
  std::string text;
  lines.lines.move_to(text, 13);
  EXPECT_EQ(text, "a | 1\na | 22\n");
  text.clear();
  lines.lines.move_to(text, 1);
  EXPECT_EQ(text, "a | 333\n");
  EXPECT_TRUE(lines.lines.empty());
}

TEST(LogLines, the_newest_lines_are_kept_when_there_is_room_for_few) {
  WrittenLines lines("a");
  lines.take("1\n2\n3\n4\n");
  lines.lines.keep_newest(12);
  EXPECT_EQ(take_all(lines), "a | [belfry: 2 lines lost here: output was too slow]\na | 3\na | 4\n");
  lines.take("5\n");
  lines.lines.keep_newest(0);
  EXPECT_EQ(take_all(lines), "a | [belfry: 1 line lost here: output was too slow]\n");
}

TEST(LogLines, what_another_source_has_left_is_taken_over_with_its_name) {
  WrittenLines own("belfry"), gone("db");
  own.take("mine\n");
  gone.take("last words\n");
  own.lines.take_over(gone);
  EXPECT_EQ(take_all(own), "belfry | mine\ndb | last words\n");
  EXPECT_TRUE(gone.lines.empty());
  gone.take("1\n2\n");
  gone.lines.keep_newest(0);
  own.lines.take_over(gone);
  EXPECT_EQ(take_all(own), "belfry | [belfry: 2 lines lost here: output was too slow]\n");
}

TEST(LinesOnATerminal, a_carriage_return_does_not_write_over_the_name) {
  WrittenLines lines("db", {.for_terminal = true});
  lines.take("ok\r\n\r\x1b[Aup\n");
  EXPECT_EQ(take_all(lines), "db | ok\ndb | \xEF\xBF\xBD\xEF\xBF\xBD[Aup\n");
}

TEST(LogLines, a_flood_drops_the_oldest_and_says_how_many) {
  WrittenLines lines("a");
  const std::string line(1000, 'x');
  for (int i = 0; i < 3000; ++i) lines.take(std::to_string(i) + line + "\n");
  const std::string text = take_all(lines);
  EXPECT_LE(text.size(), LogLines::most_held + 1200);
  EXPECT_GT(lines.lines.lost_in_all(), 1000U);
  EXPECT_TRUE(
      text.starts_with("a | [belfry: " + std::to_string(lines.lines.lost_in_all()) + " lines lost here"));
  EXPECT_NE(text.find("a | 2999x"), std::string::npos);
  EXPECT_EQ(text.find("a | 0x"), std::string::npos);
}

TEST(LogLines, a_source_that_waits_loses_nothing_of_what_a_pipe_holds_besides) {
  WrittenLines lines("a", {.may_drop = false});
  for (int i = 0; i < 2000; ++i) lines.take(std::string(1000, 'x') + "\n");
  EXPECT_EQ(lines.lines.lost_in_all(), 0U);
  for (int i = 0; i < 3000; ++i) lines.take(std::string(1000, 'x') + "\n");
  EXPECT_GT(lines.lines.lost_in_all(), 0U) << "but there is a bound";
}

constexpr LineStyle raw_in_a_file{.form = LineStyle::Form::raw, .ends_lines = false};

TEST(RawLines, every_byte_comes_out_as_it_was) {
  WrittenLines lines("db", raw_in_a_file, 1024);
  std::string noise;
  for (int i = 0; i < 20'000; ++i) noise.push_back(static_cast<char>((i * 7) % 256));
  noise += std::string(5000, 'y');  // longer than a line may be, and without its end
  for (std::size_t at = 0; at < noise.size(); at += 777) lines.take(std::string_view(noise).substr(at, 777));
  lines.finish();
  EXPECT_TRUE(take_all(lines) == noise);
}

TEST(RawLines, bytes_without_any_line_are_bounded_too) {
  WrittenLines lines("db", raw_in_a_file, 65536);
  for (int i = 0; i < 40; ++i) lines.take(std::string(65536, 'x'));
  EXPECT_LE(lines.lines.held(), LogLines::most_held + 65536);
  EXPECT_GT(lines.lines.lost_in_all(), 0U);
  std::string some;
  lines.lines.move_to(some, 1000);
  EXPECT_GT(some.size(), 1000U);
}

TEST(RawLines, on_belfrys_output_the_next_service_begins_a_line_of_its_own) {
  WrittenLines lines("db", {.form = LineStyle::Form::raw});
  lines.take("one\nlast words");
  lines.finish();
  EXPECT_EQ(take_all(lines), "one\nlast words\n");
}

TEST(JsonLines, say_when_by_whom_in_which_run_and_where) {
  WrittenLines lines("db", {.form = LineStyle::Form::json});
  lines.take("a \"b\"\n");
  EXPECT_EQ(
      take_all(lines),
      R"({"time":"2025-11-30T09:03:11.000042Z","service":"db","incarnation":3,"stream":"stderr","line":"a \"b\""})"
      "\n");
}

TEST(JsonLines, tell_of_the_cut_beside_the_line) {
  WrittenLines lines("db", {.form = LineStyle::Form::json}, 4);
  lines.take("abcdefghij\n");
  const std::string text = take_all(lines);
  EXPECT_NE(text.find(R"("line":"abcd","goes_on":true})"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("line":"efgh","continued":true,"goes_on":true})"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("line":"ij","continued":true})"), std::string::npos) << text;
}

TEST(JsonLines, the_marker_is_an_object_too) {
  WrittenLines lines("db", {.form = LineStyle::Form::json});
  lines.take("1\n2\n");
  lines.lines.keep_newest(0);
  const std::string text = take_all(lines);
  EXPECT_TRUE(text.starts_with(R"({"time":")")) << text;
  EXPECT_TRUE(text.ends_with("\"line\":\"[belfry: 2 lines lost here: output was too slow]\",\"lost\":2}\n"))
      << text;
}

TEST(LinesWithTimestamps, the_time_stands_in_front_of_the_name) {
  WrittenLines lines("db", {.timestamps = true});
  lines.take("one\ntwo\n");
  EXPECT_EQ(take_all(lines), "2025-11-30T09:03:11.000042Z db | one\n2025-11-30T09:03:11.000042Z db | two\n");
}

}  // namespace
}  // namespace belfry::daemon
