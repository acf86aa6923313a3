#include "cli/event_line.hpp"

#include <gtest/gtest.h>

namespace belfry::cli {
namespace {

client::EventRecord an_event(std::string kind) {
  client::EventRecord event;
  event.time = "2026-11-20T20:43:28.123Z";
  event.kind = std::move(kind);
  event.service = "db";
  return event;
}

TEST(EventLine, says_when_who_what_and_which_line_was_the_reason) {
  client::EventRecord event = an_event("state");
  event.state = "ready";
  event.has_evidence = true;
  event.probe = "log";
  event.words = "listening on 5432";
  EXPECT_EQ(event_line(event, false),
            "2026-11-20T20:43:28.123Z  db            ready: log \"listening on 5432\"\n");
}

TEST(EventLine, names_the_sender_of_a_datagram_and_who_listens) {
  client::EventRecord event = an_event("state");
  event.state = "ready";
  event.has_evidence = true;
  event.probe = "notify";
  event.pid = 4711;
  EXPECT_TRUE(event_line(event, false).ends_with("ready: notify from pid 4711\n"));
  event.probe = "port";
  event.port = 8080;
  EXPECT_TRUE(event_line(event, false).ends_with("ready: port 8080 of pid 4711\n"));
}

TEST(EventLine, of_a_failure_has_its_cause) {
  client::EventRecord event = an_event("state");
  event.state = "failed";
  event.cause = "exited with code 3";
  EXPECT_TRUE(event_line(event, false).ends_with("failed: exited with code 3\n"));
}

TEST(EventLine, of_the_stack_has_no_service) {
  client::EventRecord event = an_event("stack");
  event.service = "";
  event.event = "stopping";
  event.cause = "SIGTERM";
  EXPECT_EQ(event_line(event, false), "2026-11-20T20:43:28.123Z  (stack)       stopping: SIGTERM\n");
}

TEST(EventLine, of_a_notice_is_its_text) {
  client::EventRecord event = an_event("notice");
  event.cause = "restarts: lost cache ready";
  EXPECT_TRUE(event_line(event, false).ends_with("db            restarts: lost cache ready\n"));
}

TEST(EventLine, is_nothing_that_a_terminal_obeys_and_coloured_only_when_asked_for) {
  client::EventRecord event = an_event("state");
  event.service = "d\x1b[31mb";
  event.state = "ready";
  event.has_evidence = true;
  event.probe = "log";
  event.words = "\x1b]0;title\x07\nsecond line";
  event.cause =
      "\x9b"
      "31m\r\n";
  const std::string plain = event_line(event, false);
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  EXPECT_EQ(plain.find('\x9b'), std::string::npos);
  EXPECT_EQ(plain.find('\n'), plain.size() - 1);
  EXPECT_NE(event_line(event, true).find("\x1b["), std::string::npos);
}

}  // namespace
}  // namespace belfry::cli
