// What is said to PostgreSQL and made of its answers, without a server.
#include <gtest/gtest.h>

#include <string>

#include "probes/protocols/postgres_session.hpp"
#include "tests/probes/protocols/conversation.hpp"

namespace belfry::probes {
namespace {

using Step = Dialogue::Step;
using Tls = TlsWish;
using namespace std::string_literals;

std::string message(char type, const std::string& body) {
  const auto length = static_cast<unsigned>(body.size() + 4);
  std::string out(1, type);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift);
  return out + body;
}
std::string error(const std::string& code, const std::string& words) {
  return message('E', "SFATAL\0VFATAL\0"s + "C" + code + "\0M"s + words + "\0Fpostmaster.c\0\0"s);
}
std::string authentication(char kind, const std::string& rest = {}) {
  return message('R', "\0\0\0"s + kind + rest);
}
const std::string admitted = authentication(0) + message('S', "server_version\0"s + "15.20\0"s) +
                             message('K', "\0\0\1\2\3\4\5\6"s) + message('Z', "I");

SessionTerms terms(const std::string& database = {}, Tls tls = Tls::none) {
  return {.user = "app", .database = database, .tls = tls};
}

// In pieces of `piece` bytes.
std::string verdict(const std::string& answer, const SessionTerms& of = terms(),
                    std::size_t piece = std::string::npos) {
  PostgresSession session(of);
  return test::outcome(session, answer, piece);
}

TEST(PostgresSession, begins_with_user_and_database) {
  PostgresSession session(terms("shop"));
  std::string say;
  ASSERT_TRUE(session.begin(say));
  EXPECT_EQ(say, "\0\0\0\x38\0\3\0\0user\0app\0database\0shop\0application_name\0belfry\0\0"s);
}

TEST(PostgresSession, is_ready_when_it_may_query_and_says_goodbye) {
  PostgresSession session(terms());
  std::string say;
  ASSERT_TRUE(session.begin(say));
  EXPECT_EQ(session.hear(admitted, say), Step::done);
  EXPECT_EQ(session.farewell(), "X\0\0\0\4"s);
}

TEST(PostgresSession, is_ready_when_asked_who_it_is_and_leaves_without_a_word) {
  for (const char kind : "\2\3\5\7\x09\x0a"s) EXPECT_EQ(verdict(authentication(kind, "salt")), "done");
  PostgresSession session(terms());
  std::string say;
  ASSERT_TRUE(session.begin(say));
  EXPECT_EQ(session.hear(authentication(10, "SCRAM-SHA-256\0\0"s), say), Step::done);
  EXPECT_EQ(session.farewell(), "");  // a password is expected, and anything else is a line in its log
}

TEST(PostgresSession, waits_until_the_session_has_begun) {
  EXPECT_EQ(verdict(authentication(0)), "listens");
  EXPECT_EQ(verdict(authentication(0) + error("57P03", "the database system is shutting down")),
            "the database system is shutting down");
}

TEST(PostgresSession, passes_on_the_words_of_a_server_that_is_not_ready) {
  for (const char* words :
       {"the database system is starting up", "the database system is in recovery mode",
        "the database system is shutting down", "the database system is not yet accepting connections"})
    EXPECT_EQ(verdict(error("57P03", words)), words);
  EXPECT_EQ(verdict(error("53300", "sorry, too many clients already")), "sorry, too many clients already");
  EXPECT_EQ(verdict(error("XX000", "\x1b[2Jevil")), "\xEF\xBF\xBD[2Jevil");
  EXPECT_EQ(verdict(message('E', "SFATAL\0\0"s)), "it gives an error without words");
}

TEST(PostgresSession, does_not_mind_who_it_is) {
  EXPECT_EQ(verdict(error("28P01", "password authentication failed for user \"app\"")), "done");
  EXPECT_EQ(verdict(error("28000", "role \"app\" does not exist")), "done");
}

TEST(PostgresSession, misses_a_database_only_if_it_was_named) {
  const std::string answer = authentication(0) + error("3D000", "database \"shop\" does not exist");
  EXPECT_EQ(verdict(answer), "done");
  EXPECT_EQ(verdict(answer, terms("shop")), "database \"shop\" does not exist");
}

TEST(PostgresSession, hears_the_same_byte_by_byte) {
  for (const std::string& answer :
       {admitted, authentication(5, "salt"), error("57P03", "the database system is starting up"),
        "E" + "could not fork new process for connection: Cannot allocate memory\n\0"s, "HTTP/1.1 400\r\n"s})
    EXPECT_EQ(verdict(answer, terms(), 1), verdict(answer));
  EXPECT_EQ(verdict(admitted, terms(), 1), "done");
}

TEST(PostgresSession, of_half_an_answer_says_nothing) {
  for (std::size_t length = 0; length < admitted.size(); ++length)
    EXPECT_EQ(verdict(admitted.substr(0, length)), "listens") << length;
}

TEST(PostgresSession, knows_who_does_not_speak_it) {
  for (const std::string& answer :
       {"HTTP/1.1 400 Bad Request\r\n\r\n"s, "<html>"s, "SSH-2.0-OpenSSH\r\n"s, "-ERR unknown command\r\n"s,
        "J\0\0\0\x0a"s + "5.5.5-10.11"s, "\x15\3\1\0\2"s, "R\xff\xff\xff\xff"s, "R\0\0\0\3"s, "R\0\0\0\5x"s,
        "R\0\1\0\1"s, "Z\0\0\0\5I"s})
    EXPECT_EQ(verdict(answer), "it does not speak PostgreSQL") << answer;
}

TEST(PostgresSession, reads_the_words_of_a_postmaster_without_processes) {
  EXPECT_EQ(verdict("Ecould not fork new process for connection\0"s),
            "could not fork new process for connection");
  EXPECT_EQ(verdict("E" + std::string(29'000, 'x')), "listens");
  EXPECT_EQ(verdict("E" + std::string(40'000, 'x')), std::string(500, 'x'));
}

TEST(PostgresSession, ends_an_endless_message_by_its_length) {
  const std::string notice = message('N', std::string(1000, 'x'));
  PostgresSession session(terms());
  std::string say;
  ASSERT_TRUE(session.begin(say));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(session.hear(notice, say), Step::listen);  // and keeps none of them
  EXPECT_FALSE(session.hear("N\0\1\0\1"s, say));
}

TEST(PostgresSession, says_how_far_it_got_when_the_server_goes_away) {
  PostgresSession session(terms());
  std::string say;
  ASSERT_TRUE(session.begin(say));
  EXPECT_EQ(session.ended().error().text(), "it closed the connection without an answer");
  ASSERT_TRUE(session.hear(authentication(0), say));
  EXPECT_EQ(session.ended().error().text(), "it closed the connection before the session had begun");
  ASSERT_TRUE(session.begin(say));
  EXPECT_EQ(session.hear(admitted, say), Step::done);  // the next conversation remembers nothing of it
}

TEST(PostgresTls, is_asked_for_first) {
  PostgresSession session(terms({}, Tls::required));
  std::string say;
  ASSERT_TRUE(session.begin(say));
  EXPECT_EQ(say, "\0\0\0\x08\x04\xd2\x16\x2f"s);
  say.clear();
  EXPECT_EQ(session.hear("S", say), Step::start_tls);
  EXPECT_EQ(say, "");
  ASSERT_TRUE(session.secured(say));
  EXPECT_EQ(say.substr(4, 8), "\0\3\0\0user"s);
  EXPECT_EQ(session.hear(admitted, say), Step::done);
}

TEST(PostgresTls, nothing_may_come_before_it) {
  EXPECT_EQ(verdict("S" + admitted, terms({}, Tls::required)),
            "it says more before TLS begins than it may: somebody may have changed what it says");
  EXPECT_EQ(verdict("N" + admitted, terms({}, Tls::preferred)),
            "it says more before TLS begins than it may: somebody may have changed what it says");
}

TEST(PostgresTls, that_is_refused_is_done_without_where_that_is_good_enough) {
  EXPECT_EQ(verdict("N", terms({}, Tls::required)), "it does not speak TLS");
  PostgresSession session(terms({}, Tls::preferred));
  std::string say;
  ASSERT_TRUE(session.begin(say));
  say.clear();
  EXPECT_EQ(session.hear("N", say), Step::listen);
  EXPECT_EQ(say.substr(4, 8), "\0\3\0\0user"s);
  EXPECT_EQ(session.hear(admitted, say), Step::done);
}

TEST(PostgresTls, a_stranger_is_one_here_too) {
  EXPECT_EQ(verdict("HTTP/1.1 400 Bad Request\r\n", terms({}, Tls::preferred)),
            "it does not speak PostgreSQL");
  EXPECT_EQ(verdict(error("53300", "sorry, too many clients already"), terms({}, Tls::required)),
            "sorry, too many clients already");
}

}  // namespace
}  // namespace belfry::probes
