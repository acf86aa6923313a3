#include "text/live.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "text/width.hpp"

namespace belfry::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr Screen wide{.width = 80, .height = 24, .colour = false, .rewrites = true, .has_signs = true};

std::vector<LiveRow> two_services() {
  return {{.name = "db", .state = "ready", .time = "1.2s", .why = ""},
          {.name = "api", .state = "waiting", .time = "0.4s", .why = "waits for db"}};
}

TEST(Live, a_line_says_sign_name_state_time_and_why_in_columns) {
  EXPECT_THAT(
      live_lines("shop: 1 of 2 ready", two_services(), "", wide),
      ElementsAre("shop: 1 of 2 ready", "● db   ready    1.2s", "○ api  waiting  0.4s  waits for db"));
}

TEST(Live, without_utf8_the_signs_are_ascii_and_differ) {
  Screen screen = wide;
  screen.has_signs = false;
  std::string signs;
  for (const char* state : {"failed", "blocked", "backoff", "unready", "stopping", "starting", "waiting",
                            "ready", "completed", "inactive"}) {
    const std::string line = live_lines("", std::vector<LiveRow>{{"x", state, "", ""}}, "", screen).front();
    EXPECT_EQ(signs.find(line.front()), std::string::npos) << state;
    EXPECT_LT(static_cast<unsigned char>(line.front()), 0x80);
    signs += line.front();
  }
}

TEST(Live, no_line_reaches_the_last_column_however_narrow_the_terminal_is) {
  std::vector<LiveRow> rows = two_services();
  rows.push_back(
      {"a-name-that-is-longer-than-anybody-has-room-for", "starting", "3600.0s", std::string(300, 'w')});
  for (std::size_t width = 4; width < 120; ++width) {
    Screen screen = wide;
    screen.width = width;
    for (const std::string& line : live_lines("a title that is long", rows, "7 more: 7 ready", screen))
      EXPECT_LT(display_width(line), width) << line;
  }
}

TEST(Live, where_there_is_no_room_for_all_those_in_trouble_are_seen) {
  const std::vector<std::string_view> states = {"ready", "ready", "waiting", "ready", "failed", "completed"};
  const auto shown = worth_seeing(states, 3);
  EXPECT_THAT(shown, ElementsAre(0U, 2U, 4U));
  EXPECT_EQ(left_out_text(states, shown), "3 more: 2 ready, 1 completed");
  EXPECT_EQ(left_out_text(states, worth_seeing(states, 6)), "");
}

TEST(Live, a_block_is_taken_away_before_it_is_drawn_again) {
  LiveBlock block;
  const std::vector<std::string> lines = {"one", "two"};
  EXPECT_EQ(block.redraw("", lines, 80), "one\ntwo\n");
  EXPECT_EQ(block.redraw("a line\n", lines, 80), "\r\033[2A\033[Ja line\none\ntwo\n");
  EXPECT_EQ(block.erase(80), "\r\033[2A\033[J");
  EXPECT_EQ(block.erase(80), "");
}

TEST(Live, what_was_drawn_on_a_wider_terminal_takes_more_rows_of_a_narrower_one) {
  LiveBlock block;
  (void)block.redraw("", std::vector<std::string>{std::string(50, 'x'), "\033[32mgreen\033[0m"}, 80);
  EXPECT_EQ(block.erase(20), "\r\033[4A\033[J");
}

TEST(Live, colour_is_round_the_state_alone_and_ends_there) {
  Screen screen = wide;
  screen.colour = true;
  const auto lines = live_lines("", two_services(), "", screen);
  EXPECT_THAT(lines.front(), HasSubstr("\033[32mready\033[0m"));
  EXPECT_THAT(lines.front(), StartsWith("● db"));
}

}  // namespace
}  // namespace belfry::text
