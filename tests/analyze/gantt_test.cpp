#include "analyze/gantt.hpp"

#include <gmock/gmock.h>

#include <string>

namespace belfry::analyze {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(Gantt, draws_a_bar_for_each_step_and_tells_the_critical_ones_apart) {
  const Analysis analysis({{{.name = "db", .wanted = {}, .begin = {}, .end = 1s, .waits = {}},
                            {.name = "cache", .wanted = {}, .begin = {}, .end = 400ms, .waits = {}},
                            {.name = "api",
                             .wanted = {},
                             .begin = 1s,
                             .end = 1300ms,
                             .waits = {{.on = 0, .condition = "ready", .held = 1s}}}}});
  const std::string picture = gantt(analysis, {.title = "shop: start", .end = "all ready"});
  EXPECT_EQ(count(picture, "<rect class=\"crit\""), 2U + 1U);  // and one of the legend
  EXPECT_EQ(count(picture, "<rect class=\"bar\""), 1U + 1U);
  EXPECT_EQ(count(picture, "<path class=\"link\""), 1U);
  EXPECT_THAT(picture, HasSubstr("all ready after 1.30 s"));
  EXPECT_THAT(picture, HasSubstr("cache: begins at 0 ms, takes 400 ms, slack 900 ms"));
}

TEST(Gantt, a_name_is_text_whatever_it_holds) {
  const Analysis analysis(
      {{{.name = "<script>alert(1)</script>\"&", .wanted = {}, .begin = {}, .end = 1s, .waits = {}}}});
  const std::string picture = gantt(analysis, {.title = "<b>", .end = "all ready"});
  EXPECT_THAT(picture, Not(HasSubstr("<script")));
  EXPECT_THAT(picture, Not(HasSubstr("<b>")));
  EXPECT_THAT(picture, HasSubstr("&lt;script&gt;alert(1)"));
}

TEST(Gantt, loads_nothing_from_anywhere_and_follows_the_colour_scheme) {
  const std::string picture = gantt(Analysis(Course{}), {.title = "empty", .end = "all ready"});
  EXPECT_EQ(count(picture, "http"), 1U);  // the name of SVG's namespace
  EXPECT_THAT(picture, HasSubstr("prefers-color-scheme:dark"));
}

TEST(Gantt, of_a_large_stack_shows_the_critical_path_and_the_longest) {
  Course course;
  for (int i = 0; i < 1000; ++i)
    course.steps.push_back(
        {.name = "s" + std::to_string(i), .wanted = {}, .begin = {}, .end = 1ms * i, .waits = {}});
  const std::string picture = gantt(Analysis(std::move(course)), {.title = "large", .end = "all ready"});
  EXPECT_THAT(picture, HasSubstr("200 of 1000 are shown"));
  EXPECT_THAT(picture, HasSubstr(">s999<"));
  EXPECT_THAT(picture, Not(HasSubstr(">s1<")));
}

TEST(SpanText, has_the_digits_that_one_needs) {
  EXPECT_EQ(span_text(0s), "0 ms");
  EXPECT_EQ(span_text(40us), "0.0 ms");
  EXPECT_EQ(span_text(1500us), "1.5 ms");
  EXPECT_EQ(span_text(120ms), "120 ms");
  EXPECT_EQ(span_text(-4100ms), "-4.10 s");
  EXPECT_EQ(span_text(252s), "4 min 12 s");
}

}  // namespace
}  // namespace belfry::analyze
