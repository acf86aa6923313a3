#include "cli/log_line.hpp"

#include <gtest/gtest.h>

#include "cli/log_options.hpp"

namespace belfry::cli {
namespace {

client::LogLine a_line(std::string service, std::string text) {
  client::LogLine line;
  line.time = "2026-11-20T20:43:28.123456Z";
  line.service = std::move(service);
  line.line = std::move(text);
  return line;
}

TEST(LogLineFormat, names_stand_below_each_other) {
  LogLineFormat format({});
  format.set_names({"db", "gateway", "belfry"});
  EXPECT_EQ(format.line(a_line("db", "up")), "db      | up\n");
  EXPECT_EQ(format.line(a_line("gateway", "up")), "gateway | up\n");
}

TEST(LogLineFormat, each_name_has_its_colour_and_belfry_none_of_them) {
  LogLineFormat format({.colour = true});
  format.set_names({"a", "b", "belfry"});
  EXPECT_EQ(format.line(a_line("a", "x")), "\x1b[36ma      |\x1b[0m x\n");
  EXPECT_EQ(format.line(a_line("b", "x")), "\x1b[33mb      |\x1b[0m x\n");
  EXPECT_EQ(format.line(a_line("belfry", "x")), "\x1b[2mbelfry |\x1b[0m x\n");
}

TEST(LogLineFormat, colours_of_a_service_pass_only_where_they_are_welcome) {
  LogLineFormat coloured({.colour = true});
  EXPECT_EQ(coloured.line(a_line("a", "\x1b[31mred\x1b[2J")), "a | \x1b[31mred\xEF\xBF\xBD[2J\x1b[0m\n");
  LogLineFormat plain({});
  EXPECT_EQ(plain.line(a_line("a", "\x1b[31mred\x1b[0m\x1b[2J")), "a | red\xEF\xBF\xBD[2J\n");
}

TEST(LogLineFormat, says_when_and_that_a_line_is_a_piece) {
  LogLineFormat format({.timestamps = true});
  client::LogLine line = a_line("db", "mid");
  line.continued = line.goes_on = true;
  EXPECT_EQ(format.line(line),
            "db | 2026-11-20T20:43:28.123456Z [belfry: line continued] mid [belfry: line cut here, goes on "
            "below]\n");
}

TEST(LogLineFormat, says_what_is_missing_and_of_whom) {
  LogLineFormat format({});
  EXPECT_EQ(format.missed({.service = "db", .count = 12, .because = "it was too much"}),
            "db | [belfry: 12 lines are missing here: it was too much]\n");
  EXPECT_EQ(format.missed({.service = "", .count = std::nullopt, .because = "it is long ago"}),
            "belfry | [belfry: lines are missing here: it is long ago]\n");
}

TEST(ReadLogLine, knows_a_line_from_anything_else) {
  const auto line = client::read_log_line(
      R"({"sequence":3,"time":"t","service":"db","incarnation":2,"stream":"stderr","line":"a\u0000b","goes_on":true})");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->line, std::string("a\0b", 3));
  EXPECT_EQ(line->incarnation, 2);
  EXPECT_TRUE(line->goes_on);
  EXPECT_FALSE(client::read_log_line(R"({"service":"db"})"));
  EXPECT_FALSE(client::read_log_line("[]"));
  EXPECT_FALSE(client::read_log_line("nonsense"));
  EXPECT_FALSE(client::read_missed_lines(R"({"missed":null})").count);
}

TEST(LogSince, is_a_duration_or_a_time_of_the_day_here_or_of_any_zone) {
  ::setenv("TZ", "UTC-2", 1);
  ::tzset();
  EXPECT_EQ(log_since("10m"), "10m");
  EXPECT_EQ(log_since("2026-11-20T20:43:28+01:00"), "2026-11-20T20:43:28+01:00");
  EXPECT_EQ(log_since("2026-11-20 20:43"), "2026-11-20T18:43:00Z");
  EXPECT_EQ(log_since("2026-11-20 20:43:28"), "2026-11-20T18:43:28Z");
  EXPECT_EQ(log_since("2026-11-20"), "2026-11-19T22:00:00Z");
  const auto today = log_since("20:43");
  ASSERT_TRUE(today);
  EXPECT_TRUE(today->ends_with("T18:43:00Z")) << *today;
  for (const char* wrong : {"", "yesterday", "25:00", "2026-13-01", "10"}) {
    const auto read = log_since(wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().exit_code, 64);
  }
  ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace belfry::cli
