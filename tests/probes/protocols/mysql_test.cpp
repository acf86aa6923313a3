// What is said to MySQL and made of its answers, without a server.
#include <gtest/gtest.h>

#include <string>

#include "probes/protocols/mysql_session.hpp"
#include "tests/probes/protocols/conversation.hpp"

namespace belfry::probes {
namespace {

using Step = Dialogue::Step;
using Tls = TlsWish;
using namespace std::string_literals;

std::string packet(char sequence, const std::string& payload) {
  std::string out;
  for (std::size_t i = 0, length = payload.size(); i < 3; ++i, length >>= 8U)
    out += static_cast<char>(length);
  return out + sequence + payload;
}
// Of MariaDB 10.11, with TLS or without.
std::string greeting(bool tls = true) {
  return packet(0, "\x0a"s + "5.5.5-10.11.19-MariaDB\0"s + "\x2a\0\0\0"s + "12345678\0"s +
                       (tls ? "\xfe\xff"s : "\xfe\xf7"s) + "\x2d\2\0\xff\x81\x15"s + std::string(10, '\0') +
                       "123456789012\0mysql_native_password\0"s);
}
std::string error(char sequence, unsigned code, const std::string& words) {
  return packet(sequence, "\xff"s + static_cast<char>(code) + static_cast<char>(code >> 8U) + words);
}
const std::string ok = packet(2, "\0\0\0\2\0\0\0"s);

SessionTerms terms(Tls tls = Tls::none) { return {.user = "belfry", .database = {}, .tls = tls}; }

// In pieces of `piece` bytes.
std::string verdict(const std::string& answer, const SessionTerms& of = terms(),
                    std::size_t piece = std::string::npos) {
  MysqlSession session(of);
  return test::outcome(session, answer, piece);
}
// The answers of a server take the places between what is said.
std::string at(char sequence, std::string answer) {
  answer[3] = sequence;
  return answer;
}

TEST(MysqlSession, lets_the_server_speak_first_and_logs_in_without_a_password) {
  MysqlSession session({.user = "belfry", .database = "shop"});
  std::string say;
  EXPECT_EQ(session.begin(say), Step::listen);
  EXPECT_EQ(say, "");
  EXPECT_EQ(session.hear(greeting(), say), Step::listen);
  EXPECT_EQ(say, packet(1, "\x09\x82\x08\0"s + "\0\0\0\1"s + "\x21" + std::string(23, '\0') +
                               "belfry\0\0shop\0mysql_native_password\0"s));
  EXPECT_EQ(session.hear(ok, say), Step::done);
  EXPECT_EQ(session.farewell(), "\1\0\0\0\1"s);
}

TEST(MysqlSession, is_ready_when_the_server_says_who_may_not_come_in) {
  for (const unsigned code : {1044U, 1045U, 1698U, 1862U, 3118U, 4151U})
    EXPECT_EQ(verdict(greeting() + error(2, code, "#28000Access denied")), "done") << code;
  MysqlSession session(terms());
  std::string say;
  ASSERT_TRUE(session.begin(say));
  EXPECT_EQ(session.hear(greeting() + error(2, 1045, "#28000no"), say), Step::done);
  EXPECT_EQ(session.farewell(), "");
}

TEST(MysqlSession, a_greeting_is_not_enough) { EXPECT_EQ(verdict(greeting()), "listens"); }

TEST(MysqlSession, passes_on_the_words_of_a_server_that_takes_nobody) {
  EXPECT_EQ(verdict(error(0, 1040, "Too many connections")), "Too many connections (error 1040)");
  EXPECT_EQ(verdict(error(0, 1040, "#08004Too many connections")), "Too many connections (error 1040)");
  EXPECT_EQ(verdict(error(0, 1129, "Host 'a' is blocked because of many connection errors")),
            "Host 'a' is blocked because of many connection errors (error 1129)");
  EXPECT_EQ(verdict(error(0, 1130, "Host 'a' is not allowed to connect")),
            "Host 'a' is not allowed to connect (error 1130)");
  EXPECT_EQ(verdict(greeting() + error(2, 1049, "#42000Unknown database 'shop'")),
            "Unknown database 'shop' (error 1049)");
  EXPECT_EQ(verdict(error(0, 1053, "\x1b[2J")), "\xEF\xBF\xBD[2J (error 1053)");
}

TEST(MysqlSession, answers_what_it_is_asked_beside_the_login_but_not_for_ever) {
  MysqlSession session(terms());
  std::string say;
  ASSERT_TRUE(session.begin(say));
  ASSERT_TRUE(session.hear(greeting(), say));
  say.clear();
  EXPECT_EQ(session.hear(packet(2, "\xfe"s + "caching_sha2_password\0"s + "challenge"), say), Step::listen);
  EXPECT_EQ(say, packet(3, ""));
  say.clear();
  EXPECT_EQ(session.hear(packet(4, "\1\4"s), say), Step::listen);
  EXPECT_EQ(say, packet(5, "\0"s));
  EXPECT_EQ(session.hear(packet(6, "\1\4"s), say), Step::listen);
  EXPECT_EQ(session.hear(packet(8, "\1\4"s), say), Step::listen);
  EXPECT_EQ(session.hear(packet(10, "\1\4"s), say), Step::done);
}

TEST(MysqlSession, hears_the_same_byte_by_byte) {
  for (const std::string& answer : {greeting() + ok, error(0, 1040, "Too many connections"),
                                    greeting() + error(2, 1045, "#28000no"), "HTTP/1.1 400 Bad\r\n"s})
    EXPECT_EQ(verdict(answer, terms(), 1), verdict(answer));
  EXPECT_EQ(verdict(greeting() + ok, terms(), 1), "done");
}

TEST(MysqlSession, of_half_an_answer_says_nothing) {
  const std::string whole = greeting() + ok;
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(verdict(whole.substr(0, length)), "listens") << length;
}

TEST(MysqlSession, knows_who_does_not_speak_it) {
  for (const std::string& answer :
       {"HTTP/1.1 400 Bad Request\r\n\r\n"s, "SSH-2.0-OpenSSH\r\n"s, "+OK ready\r\n"s, "220 mail\r\n"s,
        packet(0, "\x09" + "3.20\0"s), packet(0, "\x0a"s + "no end of the version"),
        packet(0, "\x0a" + "5\0abc"s), packet(1, "\x0a"s), packet(0, ""), "\xff\xff\xff\0\x0a"s,
        packet(0, "\xff\1"s), greeting() + packet(2, "x"), greeting() + packet(1, "\0"s)})
    EXPECT_EQ(verdict(answer), "it does not speak MySQL") << answer;
}

TEST(MysqlSession, says_how_far_it_got_when_the_server_goes_away) {
  MysqlSession session(terms());
  std::string say;
  ASSERT_TRUE(session.begin(say));
  EXPECT_EQ(session.ended().error().text(), "it closed the connection without an answer");
  ASSERT_TRUE(session.hear(greeting(), say));
  EXPECT_EQ(session.ended().error().text(), "it closed the connection during the login");
  ASSERT_TRUE(session.begin(say));
  EXPECT_EQ(session.hear(greeting() + ok, say), Step::done);
}

TEST(MysqlTls, begins_behind_the_greeting) {
  MysqlSession session(terms(Tls::required));
  std::string say;
  ASSERT_TRUE(session.begin(say));
  EXPECT_EQ(session.hear(greeting(), say), Step::start_tls);
  EXPECT_EQ(say, packet(1, "\x01\x8a\x08\0"s + "\0\0\0\1"s + "\x21" + std::string(23, '\0')));
  say.clear();
  ASSERT_TRUE(session.secured(say));
  EXPECT_EQ(say.substr(3, 5), "\2\x01\x8a\x08\0"s);
  EXPECT_EQ(session.hear(at(3, ok), say), Step::done);
}

TEST(MysqlTls, nothing_may_come_before_it) {
  EXPECT_EQ(verdict(greeting() + ok, terms(Tls::required)),
            "it says more before TLS begins than it may: somebody may have changed what it says");
}

TEST(MysqlTls, that_is_not_there_is_done_without_where_that_is_good_enough) {
  EXPECT_EQ(verdict(greeting(false), terms(Tls::required)), "it does not speak TLS");
  EXPECT_EQ(verdict(greeting(false) + ok, terms(Tls::preferred)), "done");
}

}  // namespace
}  // namespace belfry::probes
