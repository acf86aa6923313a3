#include "daemon/http/api/events.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "tests/daemon/http/api/api_support.hpp"

namespace belfry::daemon::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

struct EventsTest : testing::Test {
  ApiWorld world;

  EventsTest() {
    world.stack.add("db");
    world.stack.add("api");
  }
  void write(std::string_view service, State to = State::ready, std::string_view cause = {}) {
    world.journal.append({.kind = EventKind::state,
                          .from = State::starting,
                          .to = to,
                          .incarnation = 2,
                          .service = service,
                          .cause = cause,
                          .evidence = {.probe = config::Probe::Kind::log, .pid = 7, .words = "said so"}});
  }
  Response list(std::string target, bool over_tcp = false) {
    return world.ask(get(std::move(target), "application/json"), Access::full, over_tcp);
  }
};

TEST_F(EventsTest, one_answer_has_all_that_is_kept) {
  write("db");
  write("api", State::failed, "exited with code 3");
  const Response response = list("/v1/events");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, application_json);
  EXPECT_THAT(response.body, HasSubstr("\"first\":1,\"last\":2,\"missed\":0,\"events\":[{\"sequence\":1,"));
  EXPECT_THAT(response.body,
              HasSubstr("\"kind\":\"state\",\"service\":\"api\",\"incarnation\":2,\"from\":\"starting\","
                        "\"state\":\"failed\",\"cause\":\"exited with code 3\""));
  EXPECT_THAT(response.body, HasSubstr("\"evidence\":{\"probe\":\"log\",\"place\":0,\"port\":null,\"pid\":7,"
                                       "\"words\":\"said so\"}"));
  EXPECT_THAT(response.body, HasSubstr("\"time\":\"2026-11-20T20:43:28.000Z\""));
  EXPECT_THAT(response.body, HasSubstr("\"since\":2,\"more\":false"));
}

TEST_F(EventsTest, pages_follow_each_other_by_since_and_limit) {
  for (int i = 0; i < 5; ++i) write("db");
  const Response first = list("/v1/events?limit=2");
  EXPECT_THAT(first.body, HasSubstr("\"since\":2,\"more\":true"));
  const Response last = list("/v1/events?since=4&limit=2");
  EXPECT_THAT(last.body, Not(HasSubstr("\"sequence\":4")));
  EXPECT_THAT(last.body, HasSubstr("\"sequence\":5"));
  EXPECT_THAT(last.body, HasSubstr("\"since\":5,\"more\":false"));
}

TEST_F(EventsTest, what_was_filtered_out_is_passed_over) {
  write("db");
  write("api");
  world.journal.append({.kind = EventKind::stack, .subject = "up"});
  const Response of_api = list("/v1/events?service=api");
  EXPECT_THAT(of_api.body, Not(HasSubstr("\"service\":\"db\"")));
  EXPECT_THAT(of_api.body, HasSubstr("\"service\":\"api\""));
  EXPECT_THAT(of_api.body, HasSubstr("\"since\":3,\"more\":false"));
  EXPECT_THAT(list("/v1/events?kind=stack").body,
              HasSubstr("\"service\":null,\"event\":\"up\",\"cause\":null"));
}

TEST_F(EventsTest, words_are_not_shown_over_tcp) {
  write("db", State::failed, "password=hunter2");
  const Response response = list("/v1/events", true);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, Not(HasSubstr("hunter2")));
  EXPECT_THAT(response.body, Not(HasSubstr("said so")));
  EXPECT_THAT(response.body, HasSubstr("\"probe\":\"log\""));
}

TEST_F(EventsTest, a_mistake_is_named_with_what_would_be_right) {
  EXPECT_THAT(list("/v1/events?kind=nonsense").body, HasSubstr("kind=nonsense is not one of state, bell"));
  EXPECT_THAT(list("/v1/events?since=nonsense").body, HasSubstr("cannot show events since nonsense"));
  EXPECT_EQ(list("/v1/events?since=1").status, 400);  // there is none yet
  EXPECT_EQ(list("/v1/events?limit=0").status, 400);
  EXPECT_EQ(list("/v1/events?limit=x").status, 400);
  EXPECT_EQ(list("/v1/events?follow=1").status, 400);
  EXPECT_EQ(list("/v1/events?service=%zz").status, 400);
  EXPECT_EQ(list("/v1/events?service=nobody").status, 404);
}

TEST_F(EventsTest, without_a_wish_for_json_it_is_a_stream_that_starts_now) {
  write("db");
  const Understood understood = world.answer(get("/v1/events"));
  const auto* follow = std::get_if<FollowEvents>(&understood);
  ASSERT_NE(follow, nullptr);
  EXPECT_EQ(follow->next, 2U);
  EXPECT_FALSE(follow->in_public);
}

TEST_F(EventsTest, a_stream_says_what_it_says_in_one_piece_and_then_nothing) {
  write("db");
  auto understood = world.answer(get("/v1/events?since=0"));
  const StreamedAnswer answer = follow_events(world.journal, std::get<FollowEvents>(std::move(understood)));
  EXPECT_EQ(answer.head.content_type, event_stream);
  std::string out;
  EXPECT_EQ(answer.body->fill(out, 1024), BodyStream::Next::nothing);
  std::string id;
  append_event_id(id, world.journal, 1);
  EXPECT_THAT(out, HasSubstr("retry: 2000\n\nid: " + id + "\ndata: {\"sequence\":1,"));
  out.clear();
  EXPECT_EQ(answer.body->fill(out, 1024), BodyStream::Next::nothing);
  EXPECT_EQ(out, "");
}

TEST_F(EventsTest, a_large_piece_comes_in_several) {
  for (int i = 0; i < 100; ++i) write("db");
  auto understood = world.answer(get("/v1/events?since=0"));
  const StreamedAnswer answer = follow_events(world.journal, std::get<FollowEvents>(std::move(understood)));
  std::string out;
  int pieces = 1;
  while (answer.body->fill(out, 1000) == BodyStream::Next::more) ++pieces;
  EXPECT_GT(pieces, 10);
  EXPECT_THAT(out, HasSubstr("\"sequence\":100"));
}

TEST_F(EventsTest, whoever_was_overrun_is_told_and_ends) {
  write("db");
  auto understood = world.answer(get("/v1/events?since=0"));
  const StreamedAnswer answer = follow_events(world.journal, std::get<FollowEvents>(std::move(understood)));
  std::string out;
  EXPECT_EQ(answer.body->fill(out, 1024), BodyStream::Next::nothing);
  for (int i = 0; i < 30'000; ++i) write("db");
  out.clear();
  EXPECT_EQ(answer.body->fill(out, 1024), BodyStream::Next::end);
  EXPECT_THAT(out, HasSubstr("event: dropped\n"));
  EXPECT_GT(answer.body->backlog(), 64U * 1024);
}

TEST_F(EventsTest, the_timeline_has_moments_of_both_clocks) {
  world.clock.advance(10s);
  TimelineView& db = world.stack.fake(0).timeline;
  db.wanted = world.loop.now();
  db.attempts = 1;
  db.edges.push_back({.on = "api", .condition = "ready", .required = true, .holds_since = std::nullopt});
  world.stack.start_view.begun = world.loop.now();
  const Response response = world.ask(get("/v1/timeline"));
  EXPECT_EQ(response.status, 200);
  const std::string ns = std::to_string(world.loop.now().time_since_epoch().count());
  EXPECT_THAT(response.body,
              HasSubstr("\"begun\":\"2026-11-20T20:43:28.000Z\",\"begun_monotonic_ns\":" + ns));
  EXPECT_THAT(response.body, HasSubstr("\"up\":null,\"up_monotonic_ns\":null"));
  EXPECT_THAT(response.body,
              HasSubstr("\"wanted\":\"2026-11-20T20:43:28.000Z\",\"wanted_monotonic_ns\":" + ns));
  EXPECT_THAT(response.body, HasSubstr("\"edges\":[{\"on\":\"api\",\"condition\":\"ready\",\"required\":true,"
                                       "\"holds_since\":null,\"holds_since_monotonic_ns\":null}]"));
}

}  // namespace
}  // namespace belfry::daemon::http
