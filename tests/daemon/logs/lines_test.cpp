#include "daemon/logs/lines.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace belfry::daemon {
namespace {

std::string take_all(LogLines& lines) {
  std::string text;
  lines.move_to(text, lines.held());
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

TEST(LogLines, a_line_within_its_bound_comes_out_as_one) {
  LogLines lines("db");
  const std::string json = "{" + std::string(500'000, 'x') + "}";
  for (std::size_t at = 0; at < json.size(); at += 65536) lines.take(json.substr(at, 65536));
  lines.take("\nnext\n");
  EXPECT_EQ(take_all(lines), "db | " + json + "\ndb | next\n");
}

TEST(LogLines, a_longer_line_is_cut_and_says_so_at_both_ends) {
  LogLines lines("db", {.longest = 10});
  lines.take("0123456789");
  EXPECT_TRUE(lines.empty()) << "it may end here";
  lines.take("abcdefghijklm\n");
  lines.take("next\n");
  EXPECT_EQ(take_all(lines),
            "db | 0123456789 [belfry: line cut here, goes on below]\n"
            "db | [belfry: line continued] abcdefghij [belfry: line cut here, goes on below]\n"
            "db | [belfry: line continued] klm\n"
            "db | next\n");
}

TEST(LogLines, a_line_of_just_its_bound_is_whole) {
  LogLines lines("db", {.longest = 10});
  lines.take("0123456789\n0123456789\n");
  EXPECT_EQ(take_all(lines), "db | 0123456789\ndb | 0123456789\n");
}

TEST(LogLines, no_character_is_cut_in_two) {
  for (const std::string letter : {"\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x94\x94"}) {
    std::string text;
    while (text.size() < 40) text += letter;
    LogLines lines("", {.longest = 11});
    struct Pieces final : LineListener {
      void on_line(std::string_view line) override { all.emplace_back(line); }
      std::vector<std::string> all;
    } pieces;
    lines.listener = &pieces;
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
  LogLines lines("", {.longest = 1024});
  struct Pieces final : LineListener {
    void on_line(std::string_view line) override { all += line; }
    std::string all;
  } pieces;
  lines.listener = &pieces;
  std::string noise;
  for (int i = 0; i < 10'000; ++i) noise.push_back(static_cast<char>(128 + (i * 7) % 128));
  lines.take(noise);
  lines.finish();
  EXPECT_EQ(pieces.all, noise);
}

TEST(LogLines, a_long_line_is_not_pushed_out_by_what_comes_right_behind_it) {
  LogLines lines("a");
  lines.take(std::string(LineStyle().longest, 'x') + "\nbehind\n");
  EXPECT_EQ(lines.lost_in_all(), 0U);
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
  LogLines lines("db");
  lines.listener = &listener;
  lines.take("hal");
  EXPECT_EQ(listener.heard, 0U);
  lines.take("f\n");
  EXPECT_EQ(listener.last, "half") << "without the name of the service";
  for (int i = 1; i < 3000; ++i) lines.take(std::string(1000, 'x') + "\n");
  EXPECT_GT(lines.lost_in_all(), 0U);
  EXPECT_EQ(listener.heard, 3000U);
}

TEST(LogLines, it_moves_whole_lines_as_many_as_fit_and_at_least_one) {
  LogLines lines("a");
  lines.take("1\n22\n333\n");
  std::string text;
  lines.move_to(text, 13);
  EXPECT_EQ(text, "a | 1\na | 22\n");
  text.clear();
  lines.move_to(text, 1);
  EXPECT_EQ(text, "a | 333\n");
  EXPECT_TRUE(lines.empty());
}

TEST(LogLines, the_newest_lines_are_kept_when_there_is_room_for_few) {
  LogLines lines("a");
  lines.take("1\n2\n3\n4\n");
  lines.keep_newest(12);
  EXPECT_EQ(take_all(lines), "a | [belfry: 2 lines lost here: output was too slow]\na | 3\na | 4\n");
  lines.take("5\n");
  lines.keep_newest(0);
  EXPECT_EQ(take_all(lines), "a | [belfry: 1 line lost here: output was too slow]\n");
}

TEST(LogLines, silent_lines_are_heard_and_not_written) {
  struct Listener final : LineListener {
    void on_line(std::string_view line) override { last = line; }
    std::string last;
  } listener;
  LogLines lines("db", {.silent = true});
  lines.listener = &listener;
  lines.take("ready\n");
  EXPECT_EQ(listener.last, "ready");
  EXPECT_TRUE(lines.empty());
}

TEST(LogLines, what_another_source_has_left_is_taken_over_with_its_name) {
  LogLines own("belfry"), gone("db");
  own.take("mine\n");
  gone.take("last words\n");
  own.take_over(gone);
  EXPECT_EQ(take_all(own), "belfry | mine\ndb | last words\n");
  EXPECT_TRUE(gone.empty());
  gone.take("1\n2\n");
  gone.keep_newest(0);
  own.take_over(gone);
  EXPECT_EQ(take_all(own), "belfry | [belfry: 2 lines lost here: output was too slow]\n");
}

std::string on_a_terminal(std::string_view text) {
  std::string out;
  append_for_terminal(out, text);
  return out;
}

TEST(LinesOnATerminal, colours_pass_and_end_with_their_line) {
  EXPECT_EQ(on_a_terminal("\x1b[1;31mred"), "\x1b[1;31mred\x1b[0m");
  EXPECT_EQ(on_a_terminal("a \x1b[38:5:9mb\x1b[m c"), "a \x1b[38:5:9mb\x1b[m c\x1b[0m");
  EXPECT_EQ(on_a_terminal("plain \xC3\xA4\ttext"), "plain \xC3\xA4\ttext");
}

TEST(LinesOnATerminal, whatever_else_a_terminal_obeys_is_shown_instead) {
  const std::string shown = "\xEF\xBF\xBD";
  EXPECT_EQ(on_a_terminal("\x1b]0;title\x07"), shown + "]0;title" + shown);
  EXPECT_EQ(on_a_terminal("\x1b[2J\x1b[H"), shown + "[2J" + shown + "[H");
  EXPECT_EQ(on_a_terminal("\x1b[31"), shown + "[31");
  EXPECT_EQ(on_a_terminal("\x1b"), shown);
  EXPECT_EQ(on_a_terminal("\x9b"
                          "2J\x7f"),
            shown + "2J" + shown);
  EXPECT_EQ(on_a_terminal("\xE2\x80\xAE"
                          "evil"),
            shown + "evil");
}

TEST(LinesOnATerminal, a_carriage_return_does_not_write_over_the_name) {
  EXPECT_EQ(on_a_terminal("10%\r20%\r"),
            "10%\xEF\xBF\xBD"
            "20%");
  EXPECT_EQ(on_a_terminal("windows\r"), "windows");
  LogLines lines("db", {.for_terminal = true});
  lines.take("ok\r\n\r\x1b[Aup\n");
  EXPECT_EQ(take_all(lines), "db | ok\ndb | \xEF\xBF\xBD\xEF\xBF\xBD[Aup\n");
}

TEST(LogLines, a_flood_drops_the_oldest_and_says_how_many) {
  LogLines lines("a");
  const std::string line(1000, 'x');
  for (int i = 0; i < 3000; ++i) lines.take(std::to_string(i) + line + "\n");
  const std::string text = take_all(lines);
  EXPECT_LE(text.size(), LogLines::most_held + 1200);
  EXPECT_GT(lines.lost_in_all(), 1000U);
  EXPECT_TRUE(text.starts_with("a | [belfry: " + std::to_string(lines.lost_in_all()) + " lines lost here"));
  EXPECT_NE(text.find("a | 2999x"), std::string::npos);
  EXPECT_EQ(text.find("a | 0x"), std::string::npos);
}

}  // namespace
}  // namespace belfry::daemon
