#include "report/page.hpp"

#include <gmock/gmock.h>

namespace belfry::report {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t largest_page = std::size_t{4} << 20;

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

Run usual() {
  report::Run run{.stack = "shop", .version = "1"};
  run.outcome = Outcome::bad;
  run.verdict = "exit 69";
  run.headline = "api does not start";
  run.services = {{.name = "db", .type = "daemon", .state = "ready", .ready = true, .wanted = true},
                  {.name = "api", .type = "daemon", .state = "failed", .wanted = true, .restarts = 2}};
  run.services[0].starting = 10ms;
  run.services[0].ready_at = 210ms;
  run.services[1].starting = 210ms;
  run.services[1].stopped = 230ms;
  run.services[1].edges = {{.on = "db", .condition = "ready"}};
  run.events = {{.at = 0ms, .time = "2026-11-30T12:00:00.000Z", .kind = "stack", .what = "begun"},
                {.at = 210ms,
                 .time = "2026-11-30T12:00:00.210Z",
                 .kind = "state",
                 .service = "db",
                 .what = "ready",
                 .evidence = "notify from pid 7"}};
  run.lines = {{.time = "2026-11-30T12:00:00.100Z", .service = "db", .stream = "stderr", .text = "hello"}};
  run.whys = {{.service = {}, .text = "shop is not ready: api\n\n  api failed\n"}};
  run.start = Picture{.course = {{{.name = "db", .wanted = {}, .begin = 10ms, .end = 210ms, .waits = {}}}},
                      .title = "shop: start",
                      .end = "all ready",
                      .remarks = {"not ready: api"}};
  return run;
}

TEST(Page, tells_the_verdict_the_states_what_happened_and_what_was_written) {
  const std::string html = page(usual());
  EXPECT_THAT(html, HasSubstr("<span class=\"verdict bad\">exit 69</span>"));
  EXPECT_THAT(html, HasSubstr("api does not start"));
  EXPECT_THAT(html, HasSubstr("<td>db<td>daemon<td>200 ms<td>0"));
  EXPECT_THAT(html, HasSubstr("<td>api<td>daemon<td><td>2"));  // it never became ready
  EXPECT_THAT(html, HasSubstr("+0.210<td>db<td class=good>ready<td>notify from pid 7"));
  EXPECT_THAT(html, HasSubstr("12:00:00.100<td>db<td>hello"));
  EXPECT_THAT(html, HasSubstr("shop is not ready: api</summary><pre>  api failed"));
  EXPECT_THAT(html, HasSubstr("not ready: api"));
  EXPECT_THAT(html, HasSubstr("api waits for db ready"));
}

TEST(Page, nothing_that_a_service_says_or_is_called_becomes_markup_or_a_terminal_escape) {
  const std::string hostile =
      "</script></style></title><img src=x onerror=alert(1)>\"'\x1b]0;owned\x07\x1b[31m<b>&";
  report::Run run{.stack = hostile, .version = hostile};
  run.verdict = run.headline = hostile;
  run.facts = {{hostile, hostile}};
  run.remarks = {hostile};
  run.services = {{.name = hostile,
                   .type = hostile,
                   .state = hostile,
                   .edges = {{.on = "b", .condition = hostile}},
                   .method = hostile,
                   .error = hostile,
                   .outputs = {{hostile, hostile}}},
                  {.name = "b", .type = "daemon", .state = "ready"}};
  run.events = {{.at = 0ms,
                 .time = hostile,
                 .kind = "state",
                 .service = hostile,
                 .what = hostile,
                 .evidence = hostile,
                 .cause = hostile}};
  run.lines = {{.time = hostile, .service = hostile, .stream = hostile, .text = hostile}};
  run.whys = {{.service = hostile, .text = hostile + "\n" + hostile}};
  run.start = run.stop =
      Picture{.course = {{{.name = hostile, .wanted = {}, .begin = {}, .end = 1s, .waits = {}}}},
              .title = hostile,
              .end = hostile,
              .remarks = {hostile}};
  const std::string html = page(run);
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_EQ(count(html, "</script"), 1U);
  EXPECT_EQ(count(html, "<script"), 1U);
  EXPECT_EQ(count(html, "</style"), 1U);
  EXPECT_EQ(count(html, "</title"), 1U + 4U + 4U);  // the page's, and those of its three pictures
  EXPECT_THAT(html, Not(HasSubstr("\x1b")));
  EXPECT_THAT(html, Not(HasSubstr("\x07")));
  EXPECT_THAT(html, Not(HasSubstr("\"'")));
  EXPECT_THAT(html, Not(HasSubstr("<b>\"")));
}

TEST(Page, forbids_everything_but_its_own_script_and_loads_nothing) {
  const std::string html = page(usual());
  EXPECT_THAT(html,
              HasSubstr("content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"));
  EXPECT_THAT(html, Not(HasSubstr("src=")));
  EXPECT_THAT(html, Not(HasSubstr("@import")));
  EXPECT_EQ(count(html, "://"), 1U);  // the name of SVG's namespace in the one Gantt
  EXPECT_EQ(count(html, "url("), count(html, "url(#tip)"));
}

TEST(Page, without_a_script_nothing_is_hidden_but_the_filters) {
  const std::string html = page(usual());
  EXPECT_EQ(count(html, "<input hidden"), 2U);
  EXPECT_EQ(count(html, " hidden"), 2U);
}

TEST(Page, colours_of_a_log_line_are_left_out) {
  report::Run run = usual();
  run.lines = {{.time = {}, .service = "db", .stream = "stdout", .text = "\x1b[1;31mred\x1b[0m plain"}};
  EXPECT_THAT(page(run), HasSubstr("<td>red plain\n"));
}

TEST(Page, is_bounded_whatever_the_stack_and_says_what_it_leaves_out) {
  report::Run run{.stack = "large", .version = "1"};
  const std::string bad(5000, '"');
  for (std::size_t i = 0; i < 500; ++i) {
    Service service{
        .name = "service-with-a-long-name-" + std::to_string(i), .type = "daemon", .state = "failed"};
    service.error = service.method = bad;
    if (i > 0) service.edges = {{.on = "service-with-a-long-name-0", .condition = "ready"}};
    run.services.push_back(service);
    run.whys.push_back({.service = service.name, .text = bad + "\n" + bad});
  }
  run.start = run.stop = Picture{.course = {}, .title = "t", .end = "e", .remarks = {}};
  for (std::size_t i = 0; i < 1000; ++i) {
    run.events.push_back(
        {.at = 1ms, .time = "t", .kind = "notice", .service = "s", .cause = std::to_string(i) + bad});
    run.lines.push_back({.time = "t", .service = "s", .stream = "stdout", .text = std::to_string(i) + bad});
  }
  for (std::size_t i = 0; i < 500; ++i)
    run.start->course.steps.push_back(
        {.name = run.services[i].name, .wanted = {}, .begin = {}, .end = 1ms * (i + 1), .waits = {}});
  run.stop = run.start;
  const std::string html = page(run);
  EXPECT_LT(html.size(), largest_page);
  EXPECT_THAT(html, HasSubstr("older events are left out"));
  EXPECT_THAT(html, HasSubstr("older ones of them are left out"));
  EXPECT_THAT(html, HasSubstr("more, for which there is no room here"));
  EXPECT_THAT(html, HasSubstr("no picture of so many services"));
  EXPECT_THAT(html, HasSubstr("<td>999&quot;"));  // the newest
  EXPECT_THAT(html, Not(HasSubstr("<td>0&quot;")));
}

TEST(Page, the_largest_graph_fits_as_well) {
  report::Run run{.stack = "large", .version = "1"};
  for (std::size_t i = 0; i < 400; ++i) {
    Service service{.name = std::string(200, '"') + std::to_string(i), .type = "daemon", .state = "ready"};
    for (std::size_t n = 1; n <= 5 && n <= i; ++n)
      service.edges.push_back({.on = run.services[i - n].name, .condition = "ready"});
    run.services.push_back(service);
  }
  EXPECT_LT(page(run).size(), largest_page);
}

TEST(Page, of_a_run_that_nobody_knows_anything_of_is_still_one) {
  const std::string html = page(report::Run{.stack = "shop", .version = "1"});
  EXPECT_THAT(html, HasSubstr("<title>shop: </title>"));
  EXPECT_THAT(html, HasSubstr("Nothing of it is kept."));
}

}  // namespace
}  // namespace belfry::report
