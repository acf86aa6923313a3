#include "daemon/http/api/access.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "tests/daemon/http/api/api_support.hpp"

namespace belfry::daemon::http {
namespace {

using Kind = system::Peer::Kind;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";

BearerToken token() { return *BearerToken::parse(secret); }

system::Peer peer(Kind kind, bool trusted = false) {
  system::Peer made;
  made.kind = kind;
  made.trusted_user = trusted;
  return made;
}

TEST(Access, what_a_peer_gets_depends_on_where_it_is) {
  const AccessRules nobody_else;
  EXPECT_EQ(access_of({Access::full, peer(Kind::unix_socket, true)}, nobody_else), Access::full);
  EXPECT_EQ(access_of({Access::full, peer(Kind::unix_socket)}, nobody_else), Access::none);
  EXPECT_EQ(access_of({Access::read_only, peer(Kind::unix_socket)}, nobody_else), Access::read_only);
  EXPECT_EQ(access_of({Access::full, peer(Kind::loopback)}, nobody_else), Access::read_only);
  EXPECT_EQ(access_of({Access::read_only, peer(Kind::remote)}, nobody_else), Access::health_only);
}

TEST(Access, members_of_an_allowed_group_may_use_the_control_socket) {
  const AccessRules rules{.groups = {200, 300}, .token = {}};
  system::Peer member = peer(Kind::unix_socket);
  member.groups = {100, 300};
  EXPECT_EQ(access_of({Access::full, member}, rules), Access::full);
  member.groups = {100};
  EXPECT_EQ(access_of({Access::full, member}, rules), Access::none);
}

TEST(Access, a_page_of_another_server_is_from_elsewhere) {
  EXPECT_FALSE(comes_from_elsewhere("", "localhost:9600"));
  EXPECT_FALSE(comes_from_elsewhere("http://LOCALHOST:9600", "localhost:9600"));
  EXPECT_TRUE(comes_from_elsewhere("http://localhost:8080", "localhost:9600"));
  EXPECT_TRUE(comes_from_elsewhere("https://evil.example", "localhost:9600"));
  EXPECT_TRUE(comes_from_elsewhere("null", "localhost:9600"));
}

TEST(Token, is_judged_by_all_of_it) {
  const std::string right(secret);
  EXPECT_EQ(token().judge("Bearer " + right), Proof::right);
  EXPECT_EQ(token().judge("bearer   " + right), Proof::right);
  EXPECT_EQ(token().judge("Bearer " + right + "0"), Proof::wrong);
  EXPECT_EQ(token().judge("Bearer " + right + right), Proof::wrong);
  EXPECT_EQ(token().judge("Bearer " + right.substr(1)), Proof::wrong);
  EXPECT_EQ(token().judge("Bearer "), Proof::wrong);
  EXPECT_EQ(token().judge("Basic " + right), Proof::none);
  EXPECT_EQ(token().judge(""), Proof::none);
  std::string other = right;
  for (char& c : other) {
    c = static_cast<char>(c ^ 1);
    EXPECT_EQ(token().judge("Bearer " + other), Proof::wrong);
    c = static_cast<char>(c ^ 1);
  }
}

TEST(Token, that_is_not_set_is_never_right) {
  EXPECT_EQ(BearerToken().judge("Bearer "), Proof::wrong);
  EXPECT_EQ(BearerToken().judge("Bearer x"), Proof::wrong);
}

TEST(Token, that_is_none_is_refused_without_being_shown) {
  EXPECT_EQ(BearerToken::parse("").error().kind(), Error::Kind::invalid);
  EXPECT_FALSE(BearerToken::parse("hunter2hunter2\n"));
  EXPECT_TRUE(BearerToken::parse("hunter2hunter2ab\r\n"));
  const auto two = BearerToken::parse("hunter2hunter2ab\nhunter2hunter2ab\n");
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().text(), Not(HasSubstr("hunter2")));
}

struct Rules : ApiWorld, testing::Test {
  std::vector<std::string> commands;

  void SetUp() override {
    stack.add("db").last_error = "SECRET";
    api.set_rules({.groups = {}, .token = token()});
    api.on_command = [this](const std::string& line) { commands.push_back(line); };
  }
  static Request with(Request request, std::string_view offered) {
    request.authorization = "Bearer " + std::string(offered);
    return request;
  }
};

TEST_F(Rules, with_the_token_a_tcp_client_sees_and_does_everything) {
  EXPECT_THAT(ask(with(get("/v1/services/db"), secret), Access::read_only, true).body, HasSubstr("SECRET"));
  Request far = with(get("/v1/services/db"), secret);
  far.host = "belfry.example:9600";
  EXPECT_EQ(ask(far, Access::health_only, true).status, 200);
  EXPECT_EQ(ask(with(post("/v1/shutdown"), secret), Access::health_only, true).status, 202);
  EXPECT_THAT(commands, testing::ElementsAre("shutdown asked for by 127.0.0.1 (with the token)"));
}

TEST_F(Rules, without_it_he_is_asked_for_it_and_a_wrong_one_is_called_wrong) {
  const Response asked = ask(post("/v1/shutdown"), Access::read_only, true);
  EXPECT_EQ(asked.status, 401);
  EXPECT_EQ(asked.challenge, R"(Bearer realm="belfry")");
  const Response wrong = ask(with(post("/v1/shutdown"), "x"), Access::read_only, true);
  EXPECT_EQ(wrong.status, 401);
  EXPECT_THAT(std::string(wrong.challenge), HasSubstr("invalid_token"));
  EXPECT_THAT(wrong.body, Not(HasSubstr(std::string(secret))));
  EXPECT_TRUE(stack.shutdown_reason.empty());
  EXPECT_TRUE(commands.empty());
}

TEST_F(Rules, a_page_of_another_server_gets_health_only) {
  Request lured = get("/v1/services");
  lured.origin = "http://evil.example";
  EXPECT_EQ(ask(lured, Access::read_only, true).status, 401);
  lured.target = "/readyz";
  EXPECT_EQ(ask(lured, Access::read_only, true).status, 200) << "health is for everybody";
}

TEST_F(Rules, who_asked_for_a_command_is_said_and_who_asked_in_vain_is_not) {
  static_cast<void>(answer(post("/v1/services/db/stop")));
  static_cast<void>(answer(post("/v1/services/ghost/stop")));
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_THAT(commands[0], testing::StartsWith("stop of db asked for by user "));
}

}  // namespace
}  // namespace belfry::daemon::http
