#include "daemon/logs/syslog_target.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include <string>

namespace belfry::daemon {
namespace {

std::vector<std::string> messages_of(std::string_view text) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  const LineOrigin origin{.at = std::chrono::system_clock::time_point(std::chrono::seconds(1'764'493'391)),
                          .incarnation = 4};
  const std::string line = record_head("web", origin).append(text);
  return syslog_messages(*read_record(line));
}

TEST(SyslogMessages, look_as_syslog_3_sends_them) {
  EXPECT_EQ(messages_of("a line"), std::vector<std::string>{"<30>Nov 30 09:03:11 web[4]: a line"});
  EXPECT_EQ(messages_of("<3>broken"), std::vector<std::string>{"<27>Nov 30 09:03:11 web[4]: broken"});
  EXPECT_EQ(messages_of(""), std::vector<std::string>{"<30>Nov 30 09:03:11 web[4]: "});
}

TEST(SyslogMessages, a_long_line_takes_several_and_no_character_is_cut_in_two) {
  std::string text;
  while (text.size() < 20'000) text += "\xE2\x82\xAC";
  std::string joined;
  for (const std::string& message : messages_of(text)) {
    EXPECT_LE(message.size(), 8192U);
    const std::string part = message.substr(message.find("]: ") + 3);
    EXPECT_EQ(part.size() % 3, 0U);
    joined += part;
  }
  EXPECT_EQ(joined, text);
}

TEST(LogRecords, what_is_none_is_left_out) {
  EXPECT_FALSE(read_record("three words only"));
  EXPECT_FALSE(read_record(""));
}

}  // namespace
}  // namespace belfry::daemon
