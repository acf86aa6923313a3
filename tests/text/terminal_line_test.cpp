#include "text/terminal_line.hpp"

#include <gtest/gtest.h>

#include <string>

namespace belfry::text {
namespace {

std::string on_a_terminal(std::string_view text) {
  std::string out;
  append_line_for_terminal(out, text);
  return out;
}

TEST(TerminalLine, colours_pass_and_end_with_their_line) {
  EXPECT_EQ(on_a_terminal("\x1b[1;31mred"), "\x1b[1;31mred\x1b[0m");
  EXPECT_EQ(on_a_terminal("a \x1b[38:5:9mb\x1b[m c"), "a \x1b[38:5:9mb\x1b[m c\x1b[0m");
  EXPECT_EQ(on_a_terminal("plain \xC3\xA4\ttext"), "plain \xC3\xA4\ttext");
}

TEST(TerminalLine, whatever_else_a_terminal_obeys_is_shown_instead) {
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

TEST(TerminalLine, a_carriage_return_does_not_write_over_what_stands_before) {
  EXPECT_EQ(on_a_terminal("10%\r20%\r"),
            "10%\xEF\xBF\xBD"
            "20%");
  EXPECT_EQ(on_a_terminal("windows\r"), "windows");
}

TEST(TerminalLine, colours_can_be_left_out) {
  std::string out;
  append_line_for_terminal(out, "a \x1b[1;31mred\x1b[0m \x1b[Kend", Colours::left_out);
  EXPECT_EQ(out, "a red \xEF\xBF\xBD[Kend");
}

}  // namespace
}  // namespace belfry::text
