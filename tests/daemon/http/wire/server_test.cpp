// The server over real sockets.
#include "daemon/http/wire/server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "daemon/http/api/api.hpp"
#include "daemon/http/wire/turn_share.hpp"
#include "system/owned_fd.hpp"
#include "tests/daemon/http/wire/server_rig.hpp"
#include "tests/support/fake_stack.hpp"

namespace belfry::daemon::http {
namespace {

using namespace std::chrono_literals;
using system::OwnedFd;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// Somebody else who has something to do whenever the kernel has told all its news.
Task<void> look_now_and_then(Context& ctx, std::function<void()> look) {
  for (int i = 0; i < 200; ++i) {
    look();
    co_await TurnShare::let_io_go_first(ctx);
  }
}

ServerLimits at_most(std::size_t connections) {
  ServerLimits limits;
  limits.connections = connections;
  return limits;
}

TEST_F(ServerTest, a_request_is_answered_and_the_connection_kept) {
  Client client(open());
  for (int i = 0; i < 3; ++i) {
    client.get("/livez");
    turn();
    const std::string answer = client.received();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nDate: "));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nok\n"));
  }
  EXPECT_FALSE(client.ended());
  EXPECT_EQ(metrics.accepted, 1U);
}

TEST_F(ServerTest, a_client_that_wants_to_close_is_closed) {
  Client client(open());
  client.send("GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  turn();
  EXPECT_THAT(client.received(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, http_1_0_is_closed_unless_it_asks_otherwise) {
  const std::uint16_t port = open();
  Client old(port), keeping(port);
  old.send("GET /livez HTTP/1.0\r\n\r\n");
  keeping.send("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  turn();
  EXPECT_TRUE(old.ended());
  EXPECT_THAT(keeping.received(), HasSubstr("\r\nConnection: keep-alive\r\n"));
  EXPECT_FALSE(keeping.ended());
}

TEST_F(ServerTest, pipelined_requests_are_answered_in_their_order) {
  stack.add("db");
  Client client(open());
  client.send(
      "GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
      "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\nGET /readyz?verbose HTTP/1.1\r\nHost: a\r\n\r\n");
  turn();
  const std::string answers = client.received();
  const auto first = answers.find("200 OK"), second = answers.find("404 Not Found"),
             third = answers.find("version=0.0.4"), fourth = answers.find("[+]db ok");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_LT(third, fourth);
  EXPECT_NE(fourth, std::string::npos);
}

TEST_F(ServerTest, a_request_that_finds_a_bug_is_answered_500_and_nobody_else_is_hurt) {
  std::vector<std::string> told;
  api.on_broken = [&told](const Error& error) { told.push_back(error.text()); };
  stack.add("db", State::starting);
  stack.add("cache", State::starting);
  stack.breaks_at = 1;
  const std::uint16_t port = open();
  Client one(port), several(port), other(port);
  other.get("/v1/wait?service=db");
  turn();
  one.get("/v1/wait?service=cache");
  several.get("/v1/wait?service=db&service=cache");
  turn();
  for (Client* client : {&one, &several}) {
    EXPECT_THAT(client->received(), StartsWith("HTTP/1.1 500 "));
    EXPECT_TRUE(client->ended());
  }
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0], "task 'http request' threw: out of cheese");
  EXPECT_THAT(told[1], HasSubstr("task 'http wait' threw: out of cheese"));
  EXPECT_EQ(stack.waiting, 1) << "the wait for db that stood beside the broken one has ended with it";
  stack.fake(0).level.ring();
  turn();
  EXPECT_THAT(other.received(), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(ServerTest, a_pipelined_request_behind_a_wait_waits_its_turn) {
  stack.add("db", State::starting);
  Client client(open());
  client.send(
      "GET /v1/wait?service=db HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HTTP/1.1\r\nHost: "
      "localhost\r\n\r\n");
  turn();
  EXPECT_EQ(client.received(), "");
  stack.fake(0).level.ring();
  turn();
  EXPECT_THAT(client.received(), EndsWith("ok\n"));
}

TEST_F(ServerTest, head_answers_like_get_without_the_body) {
  Client client(open());
  client.send("HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  turn();
  const std::string answer = client.received();
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 3\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(ServerTest, a_wrong_method_gets_405_and_the_right_ones) {
  Client client(open());
  client.send("DELETE /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  turn();
  const std::string answer = client.received();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_THAT(answer, HasSubstr("application/problem+json"));
}

TEST_F(ServerTest, garbage_is_refused_and_closed) {
  const std::uint16_t port = open();
  for (const std::string_view garbage :
       {std::string_view("\x00\xff\x16\x03\x01 nonsense\r\n\r\n", 18),
        std::string_view("GET / HTTP/9.9\r\n\r\n"), std::string_view("\r\n\r\nhello\r\n\r\n")}) {
    Client client(port);
    client.send(garbage);
    turn();
    const std::string answer = client.received();
    EXPECT_THAT(answer, testing::AnyOf(StartsWith("HTTP/1.1 400 "), StartsWith("HTTP/1.1 505 ")));
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(ServerTest, an_oversize_head_is_431_and_the_answer_survives_what_was_not_read) {
  Client client(open());
  client.send("GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(100'000, 'x'));
  turn();
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 431 "));
  clock.advance(2s);
  loop.advance(0s);
  turn();
  EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, an_oversize_body_is_413) {
  Client client(open());
  client.send("POST /v1/shutdown HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
  turn();
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerTest, a_body_is_asked_for_when_the_client_wants_that) {
  Client client(open());
  client.send("POST /livez HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  turn();
  EXPECT_EQ(client.received(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ab");
  turn();
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 405 "));
}

TEST_F(ServerTest, an_idle_connection_is_closed_in_time) {
  Client client(open());
  client.get("/livez");
  turn();
  loop.advance(74s);
  EXPECT_FALSE(client.ended());
  loop.advance(1s);
  EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, a_request_that_dribbles_in_is_given_up_as_a_whole) {
  Client client(open());
  for (int i = 0; i < 9; ++i) {
    client.send(i == 0 ? "GET /livez HT" : "");
    loop.advance(1s);
  }
  client.send("TP/1.1\r\n");
  loop.advance(1s);
  client.send("X: y\r\n");
  loop.advance(1s);
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 408 "));
  loop.advance(1s);
  EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, a_reader_that_is_too_slow_is_dropped) {
  metrics.body.assign(16UL * 1024 * 1024, 'x');
  Client client(open());
  client.get("/metrics");
  turn();
  loop.advance(29s);
  EXPECT_EQ(metrics.open, 1U);
  loop.advance(1s);
  EXPECT_EQ(metrics.open, 0U);
}

TEST_F(ServerTest, a_large_answer_arrives_whole) {
  metrics.body.assign(16UL * 1024 * 1024, 'x');
  Client client(open());
  client.get("/metrics");
  EXPECT_GT(read_metrics(client), metrics.body.size());
  client.get("/livez");
  EXPECT_THAT(read_until(client, "ok\n"), EndsWith("ok\n"));
}

TEST_F(ServerTest, a_client_that_leaves_ends_its_wait) {
  stack.add("db", State::starting);
  Client client(open());
  client.get("/v1/wait?service=db");
  turn();
  EXPECT_EQ(stack.waiting, 1);
  client.close();
  turn();
  EXPECT_EQ(stack.waiting, 0);
  EXPECT_EQ(metrics.open, 0U);
}

TEST_F(ServerTest, at_the_limit_the_longest_idle_connection_makes_room) {
  const std::uint16_t port = open(at_most(3));
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    clients.back()->get("/livez");
    turn();
  }
  EXPECT_THAT(clients[3]->received(), EndsWith("ok\n"));
  EXPECT_TRUE(clients[0]->ended());
  EXPECT_FALSE(clients[1]->ended());
  EXPECT_EQ(metrics.open, 3U);
}

TEST_F(ServerTest, at_the_limit_with_nobody_idle_the_next_one_waits_in_the_queue) {
  stack.add("db", State::starting);
  const std::uint16_t port = open(at_most(1));
  Client busy(port);
  busy.get("/v1/wait?service=db");
  turn();
  Client next(port);
  next.get("/livez");
  turn();
  EXPECT_EQ(next.received(), "");
  busy.close();
  turn();
  EXPECT_THAT(next.received(), EndsWith("ok\n"));
}

TEST_F(ServerTest, at_the_limit_the_oldest_half_request_makes_room_after_the_idle) {
  const std::uint16_t port = open(at_most(3));
  Client old_half(port), third_half, fourth_half;
  old_half.send("GET /livez HT");
  turn();
  Client young_half(port), idle(port);
  young_half.send("GET /livez HT");
  idle.get("/livez");
  turn();
  Client health(port);
  health.get("/livez");
  turn();
  EXPECT_THAT(health.received(), EndsWith("ok\n"));
  EXPECT_TRUE(idle.ended());
  EXPECT_FALSE(old_half.ended());
  for (Client* more : {&third_half, &fourth_half}) {
    more->connect(port);
    more->send("POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nslow");
    turn();
  }
  EXPECT_TRUE(health.ended());
  EXPECT_TRUE(old_half.ended());
  EXPECT_FALSE(young_half.ended());
  EXPECT_EQ(metrics.open, 3U);
  EXPECT_EQ(metrics.shed, 3U);
}

TEST_F(ServerTest, who_is_given_up_goes_although_its_request_comes_in_the_same_moment) {
  const std::uint16_t port = open(at_most(1));
  Client first(port);
  turn();
  for (int i = 0; i < 20; ++i) {
    Client next(port), after_it(port);  // both before the loop looks: the first is given up as its bytes come
    first.send("GET /livez HT");
    next.send("GET /livez HT");
    turn();
    after_it.get("/livez");
    turn();
    EXPECT_THAT(after_it.received(), EndsWith("ok\n"));
    first.close();
    first.connect(port);
    turn();
  }
}

TEST_F(ServerTest, at_the_limit_who_does_not_read_makes_room) {
  metrics.body.assign(16UL * 1024 * 1024, 'x');
  const std::uint16_t port = open(at_most(1));
  Client deaf(port);
  deaf.get("/metrics");
  turn();
  Client health(port);
  health.get("/livez");
  turn();
  EXPECT_THAT(health.received(), EndsWith("ok\n"));
}

TEST_F(ServerTest, a_crowd_that_waits_leaves_places_for_the_health_check) {
  stack.add("db", State::starting);
  const std::uint16_t port = open(at_most(8));
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 20; ++i) {
    crowd.push_back(std::make_unique<Client>(port));
    crowd.back()->get("/v1/wait?service=db");
    turn();
  }
  EXPECT_EQ(stack.waiting, 6);
  EXPECT_THAT(crowd.back()->received(),
              testing::AllOf(StartsWith("HTTP/1.1 429 Too Many Requests\r\n"),
                             HasSubstr("\r\nRetry-After: 1\r\n"), HasSubstr("6 others do already")));
  Client health(port);
  health.get("/livez");
  turn();
  EXPECT_THAT(health.received(), EndsWith("ok\n"));
  crowd.front()->close();
  turn();
  health.get("/v1/wait?service=db");
  turn();
  EXPECT_EQ(stack.waiting, 6) << "a place that became free is given to the next";
}

TEST_F(ServerTest, the_services_that_all_waits_name_are_bounded_together) {
  stack.add("db", State::starting);
  stack.add("api", State::starting);
  ServerLimits limits;
  limits.wait_names = 3;
  const std::uint16_t port = open(limits);
  Client two(port), three(port), one(port);
  two.get("/v1/wait?service=db&service=api&service=db");
  turn();
  three.get("/v1/wait?service=db&service=api");
  one.get("/v1/wait?service=db");
  turn();
  EXPECT_THAT(three.received(), StartsWith("HTTP/1.1 429 "));
  EXPECT_EQ(stack.waiting, 3);
}

TEST_F(ServerTest, commands_that_are_not_done_are_bounded_in_the_background_too) {
  stack.add("db");
  Bell<> done(loop, "command done");
  stack.command_bell = &done;
  server = std::make_unique<Server>(forever, api, Access::full, at_most(16));
  const std::string path =
      (std::filesystem::temp_directory_path() / ("belfry-server-test-" + std::to_string(::getpid())))
          .string();
  ASSERT_TRUE(server->listen("unix:" + path));
  Client client(path);
  for (int i = 0; i < 3; ++i) client.send("POST /v1/services/db/stop?wait=0 HTTP/1.1\r\nHost: x\r\n\r\n");
  turn();
  EXPECT_EQ(stack.commands.size(), 2U);
  EXPECT_THAT(client.received(), HasSubstr("HTTP/1.1 429 "));
  done.ring();
  turn();
  client.send("POST /v1/services/db/stop?wait=0 HTTP/1.1\r\nHost: x\r\n\r\n");
  turn();
  EXPECT_EQ(stack.commands.size(), 3U);
}

TEST_F(ServerTest, what_is_not_read_is_bounded_for_all_together_and_who_takes_some_stays) {
  metrics.body.assign(8UL * 1024 * 1024, 'x');
  ServerLimits limits;
  limits.unread_bytes = 20UL * 1024 * 1024;
  const std::uint16_t port = open(limits);
  Client slow(port), deaf(port), third(port);
  slow.get("/metrics");
  turn();
  deaf.get("/metrics");
  turn();
  EXPECT_FALSE(slow.received().empty());
  turn();
  third.get("/metrics");
  turn();
  EXPECT_EQ(metrics.open, 2U);
  EXPECT_EQ(metrics.shed, 1U);
  EXPECT_FALSE(slow.ended()) << "it has taken some since";
  deaf.received();
  EXPECT_TRUE(deaf.ended());
}

TEST_F(ServerTest, an_answer_above_the_bound_is_given_to_one_at_a_time) {
  metrics.body.assign(8UL * 1024 * 1024, 'x');
  ServerLimits limits;
  limits.unread_bytes = 1024;
  Client client(open(limits));
  client.get("/metrics");
  EXPECT_GT(read_metrics(client), metrics.body.size());
}

TEST_F(ServerTest, what_half_requests_keep_is_bounded_for_all_together) {
  ServerLimits limits;
  limits.half_bytes = 40'000;
  const std::uint16_t port = open(limits);
  std::vector<std::unique_ptr<Client>> halves;
  for (int i = 0; i < 10; ++i) {
    halves.push_back(std::make_unique<Client>(port));
    halves.back()->send("GET /livez HTTP/1.1\r\nHost: a\r\nX: " + std::string(7000, 'x'));
    turn();
  }
  EXPECT_LE(metrics.open, 5U);
  EXPECT_GE(metrics.open, 3U);
  EXPECT_TRUE(halves.front()->ended());
  EXPECT_FALSE(halves.back()->ended());
}

// A session that answers goes on without the loop; somebody else's work is done between its requests.
TEST_F(ServerTest, large_answers_take_turns_with_everybody_else) {
  metrics.body.assign(100'000, 'x');
  ServerLimits limits;
  limits.turn_bytes = 1000;
  const std::uint16_t port = open(limits);
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 20; ++i) {
    crowd.push_back(std::make_unique<Client>(port));
    crowd.back()->get("/livez");
  }
  turn();
  for (auto& client : crowd) {
    client->received();
    client->get("/metrics");
  }
  const auto answered = [&] { return metrics.statuses.size(); };
  std::size_t before = answered(), most_between = 0;
  const std::function<void()> look = [&] {
    const std::size_t now = answered();
    most_between = std::max(most_between, now - std::exchange(before, now));
  };
  WaitGroup others(loop);
  spawn(others, "others", look_now_and_then(forever, look));
  turn();
  EXPECT_EQ(answered(), 40U) << "all are answered in the end";
  EXPECT_LE(most_between, 2U);
}

TEST_F(ServerTest, one_address_at_its_limit_does_not_starve_another) {
  stack.add("db", State::starting);
  const std::uint16_t port = open(at_most(1));
  const std::string path =
      (std::filesystem::temp_directory_path() / ("belfry-server-test-" + std::to_string(::getpid())))
          .string();
  ASSERT_TRUE(server->listen("unix:" + path, Access::full));
  Client busy(port);
  busy.get("/v1/wait?service=db");
  turn();
  Client control(path);
  control.get("/livez");
  turn();
  EXPECT_THAT(control.received(), EndsWith("ok\n"));
}

TEST_F(ServerTest, the_control_socket_takes_commands_and_loopback_does_not) {
  stack.add("db");
  const std::uint16_t port = open();
  const std::string path =
      (std::filesystem::temp_directory_path() / ("belfry-server-test-" + std::to_string(::getpid())))
          .string();
  ASSERT_TRUE(server->listen("unix:" + path, Access::full));
  Client outside(port), inside(path);
  for (Client* client : {&outside, &inside}) {
    client->send("POST /v1/services/db/restart HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  }
  turn();
  EXPECT_THAT(outside.received(), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(inside.received(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(stack.commands.size(), 1U);
}

TEST_F(ServerTest, a_command_in_the_background_is_answered_at_once) {
  stack.add("db");
  Bell<> done(loop, "command done");
  stack.command_bell = &done;
  server = std::make_unique<Server>(forever, api);
  const std::string path =
      (std::filesystem::temp_directory_path() / ("belfry-server-test-" + std::to_string(::getpid())))
          .string();
  ASSERT_TRUE(server->listen("unix:" + path, Access::full));
  Client client(path);
  client.send("POST /v1/services/db/stop?wait=0 HTTP/1.1\r\nHost: x\r\n\r\n");
  turn();
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 202 Accepted\r\n"));
  done.ring();
  turn();
}

TEST_F(ServerTest, a_stop_closes_the_idle_and_answers_those_at_work) {
  stack.add("db", State::starting);
  const std::uint16_t port = open();
  Client idle(port), working(port);
  idle.get("/livez");
  working.get("/v1/wait?service=db");
  turn();
  stop(forever);
  EXPECT_TRUE(idle.ended());
  EXPECT_FALSE(stopped) << "a request is still at work";
  stack.fake(0).level.ring();
  turn();
  EXPECT_THAT(working.received(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(working.ended());
  ASSERT_TRUE(stopped);
  EXPECT_TRUE(*stopped);
}

TEST_F(ServerTest, a_stop_without_patience_cuts_what_is_at_work) {
  stack.add("db", State::starting);
  Client working(open());
  working.get("/v1/wait?service=db");
  turn();
  Context patience(forever, loop.now() + 5s);
  stop(patience);
  loop.advance(5s);
  ASSERT_TRUE(stopped);
  EXPECT_FALSE(*stopped);
  EXPECT_TRUE(working.ended());
}

// Lowers the limit of open descriptors, and gives it back.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t most) {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit few{most, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  ~FewDescriptors() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

ServerLimits reserving(std::size_t descriptors) {
  ServerLimits limits;
  limits.reserve = descriptors;
  return limits;
}

TEST_F(ServerTest, who_comes_when_no_descriptor_is_left_is_served_with_one_that_was_held_back) {
  const std::uint16_t port = open(reserving(2));
  Client first(port), second(port), third(port);
  first.get("/livez");
  const FewDescriptors few(64);
  std::vector<system::OwnedFd> fillers;
  const auto fill = [&fillers] {
    while (fillers.emplace_back(::dup(STDOUT_FILENO))) {
    }
    fillers.pop_back();  // the one that could not be made
  };
  fill();
  turn();
  EXPECT_THAT(first.received(), EndsWith("ok\n"));
  EXPECT_FALSE(second.ended());
  EXPECT_TRUE(third.ended()) << "two were held back";
  for (int again = 0; again < 3; ++again) {
    first.close();
    fill();
    turn();
    EXPECT_FALSE(system::OwnedFd(::dup(STDOUT_FILENO))) << "nobody else gets what a connection gave back";
    fillers.pop_back();  // for the client's own socket
    first.connect(port);
    first.get("/livez");
    turn();
    EXPECT_THAT(first.received(), EndsWith("ok\n"));
  }
}

TEST_F(ServerTest, without_descriptors_a_connection_is_shed_instead_of_waking_the_loop_for_ever) {
  const std::uint16_t port = open(reserving(0));
  Client first(port), second(port);
  {
    const FewDescriptors few(64);
    std::vector<system::OwnedFd> fillers;
    while (fillers.emplace_back(::dup(STDOUT_FILENO))) {
    }
    turn();
  }
  EXPECT_EQ(metrics.refused, 2U);
  EXPECT_TRUE(first.ended());
  Client later(port);
  later.get("/livez");
  turn();
  EXPECT_THAT(later.received(), EndsWith("ok\n"));
}

TEST_F(ServerTest, where_even_shedding_fails_the_server_pauses_and_goes_on) {
  const std::uint16_t port = open();
  Client client(port);
  client.get("/livez");
  {
    const FewDescriptors few(3);  // below every number in use: the reserve does not help
    turn();
  }
  loop.advance(1s);
  EXPECT_THAT(client.received(), EndsWith("ok\n"));
}

TEST_F(ServerTest, a_cancel_from_above_reaches_every_connection) {
  stack.add("db", State::starting);
  Context above(loop);
  server = std::make_unique<Server>(above, api);
  ASSERT_TRUE(server->listen("127.0.0.1:0"));
  turn();
  Client idle(server->port()), working(server->port());
  working.get("/v1/wait?service=db");
  turn();
  EXPECT_EQ(stack.waiting, 1);
  above.cancel(Error::closed("the daemon ends"));
  turn();
  EXPECT_EQ(stack.waiting, 0);
  EXPECT_TRUE(idle.ended());
  EXPECT_TRUE(working.ended());
  stop(forever);
  server.reset();
}

TEST_F(ServerTest, an_abandoned_loop_takes_its_sessions_along) {
  stack.add("db", State::starting);
  const std::uint16_t port = open();
  Client idle(port), working(port);
  working.get("/v1/wait?service=db");
  turn();
  loop.abandon();
  server.reset();
  EXPECT_TRUE(idle.ended());
}

}  // namespace
}  // namespace belfry::daemon::http
