#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>

#include "daemon/http/api/log_stream.hpp"
#include "tests/daemon/http/api/api_support.hpp"

namespace belfry::daemon::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct LogsTest : testing::Test {
  ApiWorld world;

  LogsTest() {
    world.stack.add("db");
    world.stack.add("api");
  }
  void write(std::size_t page, std::string_view lines, Duration ago = {},
             LogStream stream = LogStream::output) {
    const auto at = std::chrono::time_point_cast<std::chrono::system_clock::duration>(
        fixed_wall_time() - std::chrono::nanoseconds(ago));
    world.logs.page(page).add({.bytes = lines}, {.at = at, .incarnation = 2, .stream = stream});
  }
  StreamedAnswer begin(Request request, bool over_tcp = false) {
    Understood understood = world.answer(request, Access::full, over_tcp);
    if (auto* refused = std::get_if<Response>(&understood)) {
      ADD_FAILURE() << refused->body;
      return {};
    }
    return follow_logs(world.logs, std::get<FollowLogs>(std::move(understood)));
  }
  // All that there is to say now.
  static std::string said(StreamedAnswer& answer, std::size_t room = 16'384) {
    std::string all;
    for (int i = 0; i < 10'000; ++i) {
      const std::size_t before = all.size();
      const auto next = answer.body->fill(all, room);
      EXPECT_LE(all.size() - before, room + 4096) << "a piece is about as large as there is room";
      if (next != BodyStream::Next::more) return all;
    }
    ADD_FAILURE() << "it never comes to an end";
    return all;
  }
  std::string text(std::string target) {
    StreamedAnswer answer = begin(get(std::move(target), "text/plain"));
    return said(answer);
  }
  std::string events(std::string target, std::string last_id = {}) {
    Request request = get(std::move(target), "text/event-stream");
    request.last_event_id = std::move(last_id);
    StreamedAnswer answer = begin(request);
    return said(answer);
  }
  int refused(std::string target, std::string_view because) {
    const Response response = world.ask(get(std::move(target)));
    EXPECT_THAT(response.body, HasSubstr(because));
    return response.status;
  }
  std::string id(std::uint64_t line) {
    std::string id;
    append_event_id(id, world.journal, line);
    return id;
  }
};

TEST_F(LogsTest, of_a_service_come_as_json_with_time_run_and_stream) {
  write(0, "one\n", 1500ms, LogStream::standard_error);
  StreamedAnswer answer = begin(get("/v1/services/db/logs"));
  EXPECT_EQ(answer.head.content_type, application_json);
  EXPECT_EQ(said(answer), "{\"run\":\"" + id(0).substr(0, id(0).find('-')) +
                              "\",\"services\":[\"db\"],\"lines\":[\n"
                              "{\"sequence\":1,\"time\":\"2026-11-20T20:43:26.500000Z\",\"service\":\"db\","
                              "\"incarnation\":2,\"stream\":\"stderr\",\"line\":\"one\"}],\"last\":\"" +
                              id(1) + "\"}\n");
}

TEST_F(LogsTest, of_all_are_merged_with_belfrys_own) {
  write(1, "1\n");
  write(0, "2\n");
  write(world.logs.own(), "3\n");
  write(1, "4\n");
  EXPECT_EQ(text("/v1/logs"), "api | 1\ndb | 2\nbelfry | 3\napi | 4\n");
  EXPECT_EQ(text("/v1/logs?service=api"), "api | 1\napi | 4\n");
  EXPECT_EQ(text("/v1/logs?service=belfry&service=db"), "db | 2\nbelfry | 3\n");
  EXPECT_EQ(text("/v1/services/api/logs"), "1\n4\n");
}

TEST_F(LogsTest, the_name_of_a_gate_is_that_of_its_members) {
  world.stack.add("both").type = config::ServiceType::gate;
  world.stack.fake(2).timeline.edges = {{.on = "db", .condition = "ready", .holds_since = {}},
                                        {.on = "api", .condition = "ready", .holds_since = {}}};
  write(0, "1\n");
  write(1, "2\n");
  EXPECT_EQ(text("/v1/logs?service=both&service=db"), "db | 1\napi | 2\n");
}

TEST_F(LogsTest, n_is_counted_for_each_service) {
  for (int i = 0; i < 100; ++i) write(0, "db " + std::to_string(i) + "\n");
  write(1, "api\n");
  EXPECT_EQ(text("/v1/logs?n=2"), "db | db 98\ndb | db 99\napi | api\n");
  EXPECT_EQ(text("/v1/logs?n=0"), "");
}

TEST_F(LogsTest, n_counts_those_that_the_filter_shows) {
  for (int i = 0; i < 30'000; ++i) write(0, (i % 100 == 7 ? "hit " : "no ") + std::to_string(i) + "\n");
  EXPECT_EQ(text("/v1/services/db/logs?grep=^hit&n=2"), "hit 29807\nhit 29907\n");
  EXPECT_EQ(text("/v1/services/db/logs?grep=nothing&n=2"), "");
}

TEST_F(LogsTest, filters_are_all_of_them) {
  write(0, "error of old\n", 10s, LogStream::standard_error);
  write(0, "error on stdout\n", 1s, LogStream::standard_output);
  write(0, "all is well\n", 1s, LogStream::standard_error);
  write(0, "error\n", 1s, LogStream::standard_error);
  EXPECT_EQ(text("/v1/services/db/logs?grep=error&since=5s&stream=stderr"), "error\n");
  EXPECT_EQ(text("/v1/services/db/logs?since=2026-11-20T20:43:27Z&stream=stderr"), "all is well\nerror\n");
}

TEST_F(LogsTest, a_stream_names_the_services_and_says_where_it_ends) {
  write(0, "one\n");
  const std::string said = events("/v1/logs?service=db");
  EXPECT_THAT(said, HasSubstr("event: begin\ndata: {\"run\":\""));
  EXPECT_THAT(said, HasSubstr("\"services\":[\"db\"]}\n\n"));
  EXPECT_THAT(said, HasSubstr("id: " + id(1) + "\ndata: {\"sequence\":1,"));
  EXPECT_THAT(said, testing::EndsWith("event: end\ndata:\n\n"));
}

TEST_F(LogsTest, a_follower_begins_with_the_last_lines_and_goes_on) {
  write(0, "1\n2\n");
  StreamedAnswer answer = begin(get("/v1/logs?service=db&follow=1&n=1"));
  EXPECT_EQ(answer.head.content_type, event_stream);
  const std::string begun = said(answer);
  EXPECT_THAT(begun, HasSubstr("\"line\":\"2\""));
  EXPECT_THAT(begun, Not(HasSubstr("\"line\":\"1\"")));
  write(0, "3\n");
  EXPECT_THAT(said(answer), StartsWith("id: " + id(3) + "\ndata: "));
}

TEST_F(LogsTest, who_comes_again_goes_on_behind_the_line_that_he_has_seen) {
  write(0, "1\n");
  write(1, "2\n");
  write(0, "3\n");
  const std::string again = events("/v1/logs?n=0", id(1));
  EXPECT_THAT(again, Not(HasSubstr("\"line\":\"1\"")));
  EXPECT_THAT(again, HasSubstr("\"line\":\"2\""));
  EXPECT_THAT(again, HasSubstr("\"line\":\"3\""));
  EXPECT_THAT(again, Not(HasSubstr("missed")));
}

TEST_F(LogsTest, who_comes_again_too_late_or_from_another_run_is_told) {
  write(0, "1\n2\n");
  for (int i = 0; i < 40; ++i) write(0, std::string(60'000, 'x') + "\n");
  EXPECT_THAT(
      events("/v1/logs?grep=^y", id(1)),
      HasSubstr("event: missed\ndata: {\"service\":null,\"missed\":null,\"because\":\"only the newest"));
  EXPECT_THAT(events("/v1/logs?grep=^y", "abc-1"), HasSubstr("\"because\":\"Last-Event-ID is not of a line"));
  EXPECT_THAT(events("/v1/logs?grep=^y", id(4711)), HasSubstr("Last-Event-ID is not of a line"));
}

TEST_F(LogsTest, lines_that_a_follower_was_too_slow_for_are_counted_in_their_place) {
  StreamedAnswer answer = begin(get("/v1/logs?service=db&follow=1"));
  (void)said(answer);
  for (int i = 0; i < 40; ++i) write(0, std::string(60'000, 'x') + "\n");
  const std::uint64_t gone = world.logs.ring(0)->first() - 1;
  std::string out;
  (void)answer.body->fill(out, 100);
  EXPECT_THAT(
      out, StartsWith("event: missed\ndata: {\"service\":\"db\",\"missed\":" + std::to_string(gone) + ","));
}

TEST_F(LogsTest, a_reader_is_late_by_what_is_written_to_what_he_follows) {
  StreamedAnswer answer = begin(get("/v1/logs?service=db&follow=1"));
  const std::size_t before = answer.body->backlog();
  write(1, std::string(1000, 'x') + "\n");
  EXPECT_EQ(answer.body->backlog(), before);
  for (int i = 0; i < 8; ++i) write(0, std::string(1000, 'x') + "\n");
  EXPECT_GE(answer.body->backlog(), before + 1000);
  StreamedAnswer once = begin(get("/v1/logs?service=db"));
  EXPECT_EQ(once.body->backlog(), 0U) << "what is kept can be read as slowly as one likes";
}

TEST_F(LogsTest, as_text_nothing_is_left_that_a_terminal_obeys) {
  write(0, "\x1b[31mred\x1b[0m \x1b[2J\x9b\n");
  EXPECT_EQ(text("/v1/services/db/logs"), "red \xEF\xBF\xBD[2J\xEF\xBF\xBD\n");
}

TEST_F(LogsTest, pieces_of_a_cut_line_say_so) {
  world.logs.page(0).add({.bytes = "be", .goes_on = true}, {});
  world.logs.page(0).add({.bytes = "gin\n", .continued = true}, {});
  EXPECT_EQ(text("/v1/services/db/logs"),
            "be [belfry: line cut here, goes on below]\n[belfry: line continued] gin\n");
}

TEST_F(LogsTest, what_makes_no_sense_is_refused_in_words) {
  EXPECT_EQ(refused("/v1/services/nobody/logs", "cannot find a service named nobody"), 404);
  EXPECT_EQ(refused("/v1/logs?service=nobody", "cannot find a service named nobody"), 404);
  EXPECT_EQ(refused("/v1/logs?n=-1", "n=-1 is not a number of lines"), 400);
  EXPECT_EQ(refused("/v1/logs?since=yesterday", "since=yesterday is neither"), 400);
  EXPECT_EQ(refused("/v1/logs?grep=(", "missing )"), 400);
  EXPECT_EQ(refused("/v1/logs?grep=" + std::string(1001, 'x'), "longer than 1000"), 400);
  EXPECT_EQ(refused("/v1/logs?stream=in", "is not one of output, stdout, stderr"), 400);
  EXPECT_EQ(refused("/v1/logs?lines=5", "is not one of service, n, since"), 400);
  EXPECT_EQ(refused("/v1/services/db/logs?service=api", "the path names the service"), 400);
}

TEST_F(LogsTest, are_shown_on_loopback_and_to_no_other_host) {
  write(0, "one\n");
  StreamedAnswer answer = begin(get("/v1/logs"), true);
  EXPECT_THAT(said(answer), HasSubstr("\"line\":\"one\""));
  EXPECT_EQ(world.ask(get("/v1/logs"), Access::health_only, true).status, 403);
  EXPECT_EQ(world.ask(get("/v1/services/db/logs"), Access::health_only, true).status, 403);
  EXPECT_EQ(world.ask(post("/v1/logs")).status, 405);
}

TEST(Rfc3339, is_read_with_its_zone_and_nothing_else_is) {
  const WallTime at = fixed_wall_time();
  EXPECT_EQ(parse_rfc3339("2026-11-20T20:43:28Z"), at);
  EXPECT_EQ(parse_rfc3339("2026-11-20t22:13:28.25+01:30"), at + 250ms);
  EXPECT_EQ(parse_rfc3339("2026-11-20 19:43:28.123456789123-01:00"), at + 123'456'789ns);
  for (const char* wrong :
       {"", "2026-11-20", "2026-11-20T20:43:28", "2026-02-30T20:43:28Z", "2026-11-20T24:43:28Z",
        "2026-11-20T20:43:28+1:00", "-026-11-20T20:43:28Z", "2026-11-20T20:43:28Z ", "9999-11-20T20:43:28Z"})
    EXPECT_FALSE(parse_rfc3339(wrong)) << wrong;
}

}  // namespace
}  // namespace belfry::daemon::http
