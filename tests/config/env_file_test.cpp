#include "config/env_file.hpp"

#include <gtest/gtest.h>

#include "helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

struct Read {
  Pairs pairs;
  std::string problems;
};

Read read(std::string text) {
  Document document;
  Diagnostics diagnostics;
  Decoder decoder(
      document, diagnostics,
      [](std::string_view name) { return name == "HOST" ? std::optional<std::string>("h") : std::nullopt; },
      "/nowhere");
  diagnostics.sources().emplace_back("x.env", std::move(text));
  Read out;
  read_env_text(decoder, 0, out.pairs);
  diagnostics.finish();
  out.problems = text_of(diagnostics);
  return out;
}

TEST(EnvFile, unquoted_values_end_before_a_comment) {
  Read const result = read("A=1 # one\nB=a#b\nC=\nD = spaced \n");
  EXPECT_EQ(result.problems, "");
  EXPECT_EQ(result.pairs, (Pairs{{"A", "1"}, {"B", "a#b"}, {"C", ""}, {"D", "spaced"}}));
}
TEST(EnvFile, single_quotes_keep_and_double_quotes_interpret) {
  Read const result = read("A='$HOST \\n'\nB=\"$HOST\\n\\\"\\$HOST\"\n");
  EXPECT_EQ(result.problems, "");
  EXPECT_EQ(result.pairs, (Pairs{{"A", "$HOST \\n"}, {"B", "h\n\"$HOST"}}));
}
TEST(EnvFile, earlier_lines_are_variables_and_later_ones_win) {
  EXPECT_EQ(read("A=1\nB=${A}2\nA=3\n").pairs, (Pairs{{"A", "3"}, {"B", "12"}}));
}
TEST(EnvFile, windows_lines_and_export_are_understood) {
  EXPECT_EQ(read("export A=1\r\nB=2\r\n").pairs, (Pairs{{"A", "1"}, {"B", "2"}}));
}
TEST(EnvFile, mistakes_are_told_by_their_place_in_the_file) {
  EXPECT_TRUE(read("A=1\nnonsense\n").problems.starts_with("x.env:2:1: error: "));
  EXPECT_TRUE(read("1A=x\n").problems.starts_with("x.env:1:1: error: "));
  EXPECT_TRUE(read("A=1\nB='x\n").problems.starts_with("x.env:2:3: error: this quote is never closed"));
  EXPECT_TRUE(read("A=\x01\n").problems.starts_with("x.env:1:"));
}
TEST(EnvFile, a_hundred_thousand_lines_take_no_search_for_each) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "K" + std::to_string(i) + "=1\n";
  EXPECT_EQ(read(text).pairs.size(), 100'000U);
}

}  // namespace
}  // namespace belfry::config
