#include "config/document/interpolate.hpp"

#include <gtest/gtest.h>

namespace belfry::config {
namespace {

std::optional<std::string> environment(std::string_view name) {
  if (name == "A") return "a";
  if (name == "EMPTY") return "";
  if (name == "DOLLAR") return "$A";
  return std::nullopt;
}

struct Result {
  std::string text;
  std::vector<VariableFault> faults;
};
Result run(std::string_view text) {
  Result result;
  result.text = interpolate(text, environment, result.faults);
  return result;
}
std::string good(std::string_view text) {
  Result result = run(text);
  EXPECT_TRUE(result.faults.empty()) << text << ": "
                                     << (result.faults.empty() ? "" : result.faults[0].message);
  return result.text;
}

TEST(Interpolate, both_spellings_give_the_value) { EXPECT_EQ(good("x $A ${A} y"), "x a a y"); }
TEST(Interpolate, colon_minus_replaces_unset_and_empty) {
  EXPECT_EQ(good("${NO:-d}${EMPTY:-d}${A:-d}"), "dda");
}
TEST(Interpolate, minus_replaces_unset_only) { EXPECT_EQ(good("${NO-d}[${EMPTY-d}]${A-d}"), "d[]a"); }
TEST(Interpolate, colon_plus_replaces_what_is_set_and_not_empty) {
  EXPECT_EQ(good("[${NO:+r}][${EMPTY:+r}][${A:+r}]"), "[][][r]");
}
TEST(Interpolate, plus_replaces_what_is_set) { EXPECT_EQ(good("[${NO+r}][${EMPTY+r}]"), "[][r]"); }
TEST(Interpolate, question_mark_demands) {
  const Result result = run("x ${NO:?say it}");
  ASSERT_EQ(result.faults.size(), 1U);
  EXPECT_TRUE(result.faults[0].error);
  EXPECT_EQ(result.faults[0].message, "the variable `NO` is needed: say it");
  EXPECT_EQ(result.faults[0].offset, 2U);
  EXPECT_EQ(result.faults[0].length, 13U);
  EXPECT_EQ(run("${EMPTY:?m}").faults.size(), 1U);
  EXPECT_EQ(good("${EMPTY?m}${A:?m}"), "a");
}
TEST(Interpolate, defaults_nest) {
  EXPECT_EQ(good("${NO:-${NO2:-${A}}}"), "a");
  EXPECT_EQ(good("${A:+<${NO:-x}>}"), "<x>");
}
TEST(Interpolate, a_default_that_is_not_used_is_not_asked_for) { EXPECT_EQ(good("${A:-${NO:?never}}"), "a"); }
TEST(Interpolate, two_dollars_are_one) { EXPECT_EQ(good("$$A $${A} 5$$"), "$A ${A} 5$"); }
TEST(Interpolate, a_dollar_before_anything_else_is_itself) {
  EXPECT_EQ(good("5$ a$ $1 $(x) ^a$"), "5$ a$ $1 $(x) ^a$");
}
TEST(Interpolate, values_are_not_replaced_again) { EXPECT_EQ(good("${DOLLAR}"), "$A"); }
TEST(Interpolate, an_unset_variable_is_empty_with_a_warning) {
  const Result result = run("[$NO]");
  EXPECT_EQ(result.text, "[]");
  ASSERT_EQ(result.faults.size(), 1U);
  EXPECT_FALSE(result.faults[0].error);
}
TEST(Interpolate, broken_syntax_is_an_error_at_its_place) {
  for (const char* text :
       {"ab${", "ab${A", "ab${A:", "ab${A:-x", "ab${}", "ab${1}", "ab${A!x}", "ab${A:x}"}) {
    const Result result = run(text);
    ASSERT_EQ(result.faults.size(), 1U) << text;
    EXPECT_TRUE(result.faults[0].error) << text;
    EXPECT_EQ(result.faults[0].offset, 2U) << text;
  }
}
TEST(Interpolate, deep_nesting_is_refused_once) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "${NO:-";
  EXPECT_EQ(run(text).faults.size(), 1U);
}
TEST(Interpolate, growth_is_bounded) {
  const std::string big(600'000, 'x');
  std::vector<VariableFault> faults;
  const std::string out = interpolate("$B$B$B", [&](std::string_view) { return std::optional(big); }, faults);
  EXPECT_EQ(faults.size(), 1U);
  EXPECT_LT(out.size(), 2'000'000U);
}

}  // namespace
}  // namespace belfry::config
