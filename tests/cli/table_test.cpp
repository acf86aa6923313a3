#include "cli/table.hpp"

#include <gtest/gtest.h>

namespace belfry::cli {
namespace {

TEST(Table, columns_stand_below_each_other) {
  const std::string table = render_table(
      {{{"NAME", Colour::none, false}, {"PID", Colour::none, true}, {"REST", Colour::none, false}},
       {{"a", Colour::none, false}, {"4711", Colour::none, true}, {"-", Colour::none, false}},
       {{"longer", Colour::none, false}, {"1", Colour::none, true}, {"x y", Colour::none, false}}},
      0, false);
  EXPECT_EQ(table,
            "NAME     PID  REST\n"
            "a       4711  -\n"
            "longer     1  x y\n");
}

TEST(Table, wide_and_combining_characters_keep_the_columns) {
  EXPECT_EQ(render_table({{{"数据", Colour::none, false}, {"x", Colour::none, false}},
                          {{"abcd", Colour::none, false}, {"y", Colour::none, false}}},
                         0, false),
            "数据  x\nabcd  y\n");
}

TEST(Table, the_last_column_is_cut_to_the_terminal) {
  EXPECT_EQ(cut("abcdef", 4), "abc…");
  EXPECT_EQ(cut("abcd", 4), "abcd");
  EXPECT_EQ(cut("数据库", 4), "数…");
  const std::string table = render_table(
      {{{"name", Colour::none, false}, {"waiting for a long list", Colour::none, false}}}, 20, false);
  EXPECT_EQ(table, "name  waiting for a…\n");
}

TEST(Table, colour_changes_no_width) {
  const std::string table =
      render_table({{{"ready", Colour::green, false}, {"x", Colour::none, false}}}, 0, true);
  EXPECT_EQ(table, "\033[32mready\033[0m  x\n");
}

}  // namespace
}  // namespace belfry::cli
