#include "config/document/diagnostic.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "config/document/report.hpp"
#include "tests/config/helpers.hpp"

namespace belfry::config {
namespace {

std::string shown(std::string text, Span where, bool colour = false) {
  Diagnostics diagnostics;
  diagnostics.sources().emplace_back("f.yaml", std::move(text));
  diagnostics.error("rule", where, "what", "do this");
  std::ostringstream out;
  print(diagnostics, out, colour);
  return out.str();
}

TEST(Diagnostic, shows_place_line_caret_and_help) {
  EXPECT_EQ(shown("a\n  key: value\n", {0, 2, 8, 5}),
            "f.yaml:2:8: error: what\n      key: value\n           ^~~~~\n    help: do this\n");
}
TEST(Diagnostic, keeps_tabs_so_that_the_caret_stands_under_its_token) {
  EXPECT_EQ(shown("\tk:\tv", {0, 1, 5, 1}),
            "f.yaml:1:5: error: what\n    \tk:\tv\n    \t  \t^\n    help: do this\n");
}
TEST(Diagnostic, counts_columns_in_characters_and_cells) {
  EXPECT_EQ(shown("日本: x", {0, 1, 9, 1}),
            "f.yaml:1:5: error: what\n    日本: x\n          ^\n    help: do this\n");
}
TEST(Diagnostic, never_prints_control_characters) {
  EXPECT_EQ(shown("a\x1b[31m: \x07", {0, 1, 1, 1}).find('\x1b'), std::string::npos);
}
TEST(Diagnostic, colours_only_when_asked) {
  EXPECT_NE(shown("a", {0, 1, 1, 1}, true).find("\x1b[1;31merror"), std::string::npos);
  EXPECT_EQ(shown("a", {0, 1, 1, 1}).find('\x1b'), std::string::npos);
}
TEST(Diagnostic, of_a_whole_file_has_no_line) {
  EXPECT_EQ(shown("a", {0, 0, 0}), "f.yaml: error: what\n    help: do this\n");
}
TEST(Diagnostic, survives_a_place_beyond_the_text) {
  EXPECT_EQ(shown("a", {0, 9, 9, 9}), "f.yaml:9:1: error: what\n    help: do this\n");
}
TEST(Diagnostics, sort_by_place_and_drop_repetitions) {
  Diagnostics diagnostics;
  diagnostics.error("r", {0, 2, 1}, "later");
  diagnostics.error("r", {0, 1, 1}, "earlier");
  diagnostics.error("r", {0, 2, 1}, "later");
  diagnostics.finish();
  ASSERT_EQ(diagnostics.size(), 2U);
  EXPECT_EQ(diagnostics[0].message, "earlier");
  EXPECT_EQ(diagnostics.errors(), 2U);
}
TEST(Diagnostics, count_what_they_no_longer_keep) {
  Diagnostics diagnostics;
  for (std::uint32_t i = 0; i < 1500; ++i) diagnostics.error("r", {0, i + 1, 1}, "m");
  EXPECT_EQ(diagnostics.size(), Diagnostics::most);
  EXPECT_EQ(diagnostics.omitted(), 500U);
  EXPECT_EQ(diagnostics.errors(), 1500U);
}
// A repeated warning once took the error behind it along, and a bad file passed.
TEST(Diagnostics, counts_what_is_left_when_repetitions_are_dropped) {
  for (const Severity repeated : {Severity::error, Severity::warning}) {
    const Severity other = repeated == Severity::error ? Severity::warning : Severity::error;
    Diagnostics diagnostics;
    for (int i = 0; i < 2; ++i) diagnostics.add({repeated, "rule", {0, 1, 1}, "once", "", {}});
    diagnostics.add({other, "rule", {0, 2, 1}, "as well", "", {}});
    diagnostics.finish();
    EXPECT_EQ(diagnostics.errors(), 1U);
    EXPECT_EQ(diagnostics.warnings(), 1U);
    EXPECT_EQ(diagnostics.size(), 2U);
  }
}

TEST(Diagnostics, when_strict_warnings_are_errors_and_remarks_stay_remarks) {
  Diagnostics found;
  found.warning("w", {0, 1, 1}, "a warning", "help");
  found.remark("r", {0, 2, 1}, "a remark", "help");
  EXPECT_EQ(found.warnings(), 1U);
  EXPECT_FALSE(found.has_errors());
  found.be_strict();
  EXPECT_EQ(found.errors(), 1U);
  EXPECT_EQ(found.warnings(), 0U);
  EXPECT_EQ(found[0].severity, Severity::error);
  EXPECT_EQ(found[1].severity, Severity::remark);
}

TEST(Diagnostics, what_the_one_who_checks_may_not_do_is_no_error_of_the_file) {
  Diagnostics found;
  found.warning("not-permitted", {0, 1, 1}, "`db` cannot have its `user` here", "start belfry as root");
  found.be_strict();
  EXPECT_EQ(found.errors(), 0U);
  EXPECT_EQ(found.warnings(), 1U);
}

TEST(Diagnostics, a_remark_is_printed_as_one_and_counts_as_no_problem) {
  Diagnostics found;
  found.remark("r", {0, 0, 0}, "good to know", "nothing to do");
  found.finish();
  EXPECT_EQ(found.errors() + found.warnings(), 0U);
  EXPECT_EQ(testing_support::text_of(found), "remark: good to know\n    help: nothing to do\n");
  EXPECT_NE(diagnostics_json(found).find("\"severity\": 3"), std::string::npos);
  EXPECT_NE(diagnostics_sarif(found, "1").find("\"level\": \"note\""), std::string::npos);
}

}  // namespace
}  // namespace belfry::config
