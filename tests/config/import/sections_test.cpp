#include "config/import/sections.hpp"

#include <gtest/gtest.h>

#include "tests/config/import/helpers.hpp"

namespace belfry::config {
namespace {

using namespace testing_support;

std::vector<Section> read(std::string_view text, SectionStyle style, Diagnostics& diagnostics) {
  const auto file = add_text(diagnostics, "f", text);
  return file ? read_sections(diagnostics, *file, style) : std::vector<Section>();
}
// "[a] k=v|l=w".
std::string shown(std::string_view text, SectionStyle style) {
  Diagnostics diagnostics;
  std::string out;
  for (const Section& section : read(text, style, diagnostics)) {
    out += "[" + section.name + "]";
    for (const Setting& one : section.settings) out += one.key + "=" + one.value + "|";
  }
  return out;
}
constexpr auto unit = SectionStyle::unit;
constexpr auto configured = SectionStyle::configured;

TEST(ImportSections, of_units_join_lines_at_a_backslash_and_skip_comments_between) {
  EXPECT_EQ(shown("[A]\nK = a \\\n  b \\\n# no\n; no\nc\nL=\n", unit), "[A]K=a b c|L=|");
  EXPECT_EQ(shown("[A]\nK=a ; b # c\n", unit), "[A]K=a ; b # c|");
  EXPECT_EQ(shown("[A]\nK=a\\\n", unit), "[A]K=a|");
}
TEST(ImportSections, of_supervisord_go_on_at_an_indent_and_end_at_a_comment) {
  EXPECT_EQ(shown("[a:b]\nKey : v ; note\n  w # note\n\n\tx\nl=a;b#c\n", configured),
            "[a:b]key=v\nw\nx|l=a;b#c|");
  EXPECT_EQ(shown("[a] ; note\nk=;all of it\n", configured), "[a]k=|");
}
TEST(ImportSections, take_windows_line_ends_and_a_byte_order_mark) {
  EXPECT_EQ(shown("\xEF\xBB\xBF[A]\r\nK=v\r\nL=w \\\r\n x\r\n", unit), "[A]K=v|L=w x|");
  EXPECT_EQ(shown("\xEF\xBB\xBF[a]\r\nk=v\r\n w\r\n", configured), "[a]k=v\nw|");
}
TEST(ImportSections, say_where_a_line_is_of_another_form) {
  Diagnostics diagnostics;
  EXPECT_EQ(read("K=v\n[A\n[]\n[A]\nnothing\n=v\nK=w\n", unit, diagnostics).size(), 1U);
  const std::string said = text_of(diagnostics);
  for (const char* place :
       {"f:1:1: warning: this line stands before", "f:2:1: warning: this is no", "f:3:1: warning",
        "f:5:1: warning: this line is not of the form", "f:6:1: warning"})
    EXPECT_TRUE(said.contains(place)) << place << "\n" << said;
}
TEST(ImportSections, refuse_what_is_no_text) {
  for (const std::string_view text :
       {std::string_view("[A]\nK=\0\n", 8), std::string_view("[A]\nK=\xff\n")}) {
    Diagnostics diagnostics;
    EXPECT_TRUE(read(text, unit, diagnostics).empty());
    EXPECT_TRUE(text_of(diagnostics).starts_with("f:2:1: error: ")) << text_of(diagnostics);
  }
}
TEST(ImportSections, have_a_bound) {
  std::string text = "[A]\n";
  for (int i = 0; i < 100'001; ++i) text += "K=v\n";
  Diagnostics diagnostics;
  EXPECT_EQ(read(text, unit, diagnostics).at(0).settings.size(), 100'000U);
  EXPECT_TRUE(text_of(diagnostics).contains("f:100002:1: error: the file has more than 100000 settings"));
}

}  // namespace
}  // namespace belfry::config
