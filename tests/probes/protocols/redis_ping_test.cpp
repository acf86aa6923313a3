// What Redis answers to PING, in all the states in which it does not take clients.
#include "probes/protocols/redis_ping.hpp"

#include <gtest/gtest.h>

#include "tests/probes/protocols/conversation.hpp"

namespace belfry::probes {
namespace {

using test::outcome;
using test::outcome_of_end;

std::string answered(std::string_view reply, RedisLogin login = {}) {
  RedisPing dialogue(std::move(login));
  return outcome(dialogue, reply);
}

TEST(RedisPing, pong_is_ready) {
  RedisPing dialogue({});
  EXPECT_EQ(test::first_words(dialogue), "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(outcome(dialogue, "+PONG\r\n"), "done");
  EXPECT_EQ(outcome(dialogue, "+PONG\r"), "listens");
}

TEST(RedisPing, password_and_database_come_first) {
  RedisPing dialogue({.password = "p w", .database = 3});
  EXPECT_EQ(test::first_words(dialogue),
            "*2\r\n$4\r\nAUTH\r\n$3\r\np w\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(outcome(dialogue, "+OK\r\n+OK\r\n+PONG\r\n"), "done");
  EXPECT_EQ(outcome(dialogue, "+OK\r\n+OK\r\n"), "listens");
  RedisPing named({.user = "app", .password = "pw"});
  EXPECT_TRUE(test::first_words(named).starts_with("*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$2\r\npw\r\n"));
}

TEST(RedisPing, what_keeps_clients_out_is_named) {
  EXPECT_EQ(answered("-LOADING Redis is loading the dataset in memory\r\n"), "it is still loading its data");
  EXPECT_EQ(answered("-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n"),
            "it is a replica without a link to its master, and serves no stale data");
  EXPECT_EQ(answered("-NOAUTH Authentication required.\r\n"),
            "it asks for a password: give it in the URL, as redis://:PASSWORD@HOST:PORT");
  EXPECT_EQ(answered("-DENIED Redis is running in protected mode because " + std::string(900, 'x') + "\r\n"),
            "it runs in protected mode, and takes clients from its own host alone");
  EXPECT_EQ(answered("-BUSY Redis is busy running a script.\r\n"), "it runs a script that does not end");
  EXPECT_EQ(answered("-ERR max number of clients reached\r\n"),
            "it has as many clients as it takes (`maxclients`)");
  EXPECT_EQ(answered("-MISCONF Redis is configured to save RDB snapshots\r\n"),
            "it refuses writes, because it cannot save its data");
  EXPECT_TRUE(
      answered("-NOPERM this user has no permissions to run the 'ping' command\r\n", {.password = "x"})
          .starts_with("its user may not run PING"));
  EXPECT_EQ(answered("-ERR unknown command\r\n"), "it answered \"ERR unknown command\"");
}

TEST(RedisPing, a_wrong_password_is_refused_by_old_servers_and_new_ones) {
  const RedisLogin login{.password = "wrong"};
  const std::string refused = "it refuses the user or the password";
  EXPECT_EQ(answered("-WRONGPASS invalid username-password pair or user is disabled.\r\n", login), refused);
  EXPECT_EQ(answered("-ERR invalid password\r\n", login), refused);
  const std::string none = "it has no password, and the URL gives one";
  EXPECT_EQ(answered("-ERR AUTH <password> called without any password configured for the default user.\r\n",
                     login),
            none);
  EXPECT_EQ(answered("-ERR Client sent AUTH, but no password is set\r\n", login), none);
}

TEST(RedisPing, a_database_that_is_not_there_is_named) {
  EXPECT_EQ(answered("-ERR DB index is out of range\r\n", {.database = 99}),
            "it has no database 99: it answered \"ERR DB index is out of range\"");
}

// Redis itself repeats the arguments of a command that it does not know, and an echo server repeats all.
TEST(RedisPing, a_password_that_is_repeated_is_not_shown) {
  for (const std::string& reply :
       {std::string("-ERR unknown command 'AUTH', with args beginning with: 's3cret'\r\n"),
        std::string("+s3cret s3cret\r\n"), std::string("*2\r\n$4\r\nAUTH\r\n$6\r\ns3cret\r\n"),
        std::string("$s3cret"), std::string("s3cret s3cret"),
        "+" + std::string(110, 'x') + "s3cret" + std::string(5000, 'x')}) {
    const std::string said = answered(reply, {.password = "s3cret"});
    EXPECT_FALSE(said.contains("s3c")) << said;
    EXPECT_FALSE(said == "done" || said == "listens") << said;
  }
}

TEST(RedisPing, others_are_named) {
  EXPECT_EQ(answered("HTTP/1.1 400 Bad Request\r\n\r\n"), "it speaks HTTP and not Redis' protocol");
  EXPECT_EQ(answered(std::string_view("\x15\x03\x01\0\2\2\x46", 7)),
            "it speaks TLS and not Redis' protocol: add `tls: true`");
  EXPECT_EQ(answered("SSH-2.0-OpenSSH_9.2\r\n"), "it speaks SSH and not Redis' protocol");
  EXPECT_EQ(answered("+OK\r\n"), "it does not speak Redis' protocol: it answered \"+OK\"");
  RedisPing dialogue({});
  EXPECT_EQ(outcome_of_end(dialogue, ""), "it closed the connection without an answer");
  EXPECT_TRUE(outcome_of_end(dialogue, "220").starts_with("it does not speak Redis' protocol")) << "220";
}

TEST(RedisPing, what_a_terminal_would_obey_is_not_passed_on) {
  EXPECT_FALSE(answered("-ERR \x1b]0;owned\x07\r\n").contains('\x1b'));
}

TEST(RedisPing, an_endless_line_has_an_end) {
  RedisPing dialogue({});
  EXPECT_LT(test::patience(dialogue, "-ERR ", std::string(1000, 'x')), 8192U);
  EXPECT_LT(test::patience(dialogue, "", std::string_view("\0\0\0\0\0\0\0\0", 8)), 64U);
}

}  // namespace
}  // namespace belfry::probes
