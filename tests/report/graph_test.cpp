#include "report/graph.hpp"

#include <gmock/gmock.h>

namespace belfry::report {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

Service named(std::string name, std::string state = "ready") {
  return {.name = std::move(name), .type = "daemon", .state = std::move(state)};
}

TEST(Graph, has_a_box_for_each_service_and_an_arrow_for_each_edge) {
  report::Run run;
  run.services = {named("db"), named("api", "failed"), named("cron")};
  run.services[1].edges = {{.on = "db", .condition = "ready"}, {.on = "gone", .condition = "ready"}};
  const std::string drawn = draw_graph(run);
  EXPECT_EQ(count(drawn, "<rect"), 3U);
  EXPECT_EQ(count(drawn, "<path class=\"arc\""), 1U);
  EXPECT_THAT(drawn, HasSubstr("api waits for db ready"));
  EXPECT_THAT(drawn, HasSubstr("<a href=\"#s1\" class=\"node bad\">"));
}

TEST(Graph, an_optional_edge_is_drawn_as_one) {
  report::Run run;
  run.services = {named("a"), named("b")};
  run.services[1].edges = {{.on = "a", .condition = "started", .required = false}};
  EXPECT_THAT(draw_graph(run), HasSubstr("class=\"arc maybe\""));
  EXPECT_THAT(draw_graph(run), HasSubstr("b waits for a started (optional)"));
}

TEST(Graph, whatever_a_name_or_a_condition_holds_is_text) {
  report::Run run;
  run.services = {named("</svg><script>"), named("b")};
  run.services[1].edges = {{.on = "</svg><script>", .condition = "\"><img onerror=x>"}};
  const std::string drawn = draw_graph(run);
  EXPECT_EQ(count(drawn, "</svg>"), 1U);
  EXPECT_THAT(drawn, Not(HasSubstr("<script")));
  EXPECT_THAT(drawn, Not(HasSubstr("<img")));
}

TEST(Graph, of_more_than_can_be_looked_at_there_is_none) {
  report::Run run;
  EXPECT_THAT(draw_graph(run), IsEmpty());
  for (std::size_t i = 0; i <= most_drawn_services; ++i)
    run.services.push_back(named("s" + std::to_string(i)));
  EXPECT_THAT(draw_graph(run), IsEmpty());
  run.services.pop_back();
  EXPECT_EQ(count(draw_graph(run), "<rect"), most_drawn_services);
}

}  // namespace
}  // namespace belfry::report
