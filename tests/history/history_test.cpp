#include "history/history.hpp"

#include <gtest/gtest.h>

#include "history/checksum.hpp"

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;

HistoryEntry a_start() {
  HistoryEntry entry;
  entry.at = WallMoment(1'795'207'408s);
  entry.took = 1234ms;
  entry.services_in_all = 2;
  entry.services = {{.name = "db", .waited = 0ns, .took = 1s, .attempts = 1, .result = "ready"},
                    {.name = "api", .waited = 1s, .took = std::nullopt, .attempts = 0, .result = "waiting"}};
  return entry;
}

HistoryEntry a_stop() {
  HistoryEntry entry;
  entry.kind = HistoryEntry::Kind::stop;
  entry.at = WallMoment(1'795'207'500s);
  entry.succeeded = false;
  entry.exit_code = 143;
  entry.reason = "SIGTERM, as \"asked\"\tand\nmore, 100 %";
  return entry;
}

TEST(HistoryOfStarts, what_is_written_is_read_again) {
  const History read = read_history(history_line(a_start()) + history_line(a_stop()));
  ASSERT_EQ(read.entries.size(), 2U);
  EXPECT_EQ(read.entries[0], a_start());
  EXPECT_EQ(read.entries[1], a_stop());
  EXPECT_EQ(read.damaged, 0U);
}

TEST(HistoryOfStarts, a_line_is_one_line_whatever_is_in_it) {
  const std::string line = history_line(a_stop());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_TRUE(line.starts_with("belfry1 "));
}

TEST(HistoryOfStarts, a_line_that_was_torn_anywhere_is_left_out_and_the_next_one_is_not) {
  const std::string line = history_line(a_start());
  for (std::size_t length = 1; length < line.size(); ++length) {
    const History torn = read_history(line.substr(0, length));
    EXPECT_TRUE(torn.entries.empty()) << length;
    EXPECT_EQ(torn.damaged, 1U) << length;
    const History mended = read_history(line.substr(0, length) + "\n" + history_line(a_stop()));
    // All of it but its end was there: then the end that was written later completes it.
    EXPECT_EQ(mended.entries.size(), length + 1 == line.size() ? 2U : 1U) << length;
  }
}

TEST(HistoryOfStarts, a_byte_that_is_another_one_is_noticed) {
  const std::string line = history_line(a_start());
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    std::string damaged = line;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    const History read = read_history(damaged);
    EXPECT_TRUE(read.entries.empty()) << i << " " << damaged;
  }
}

TEST(HistoryOfStarts, a_later_version_is_passed_over_and_counted_apart) {
  const History read = read_history("belfry2 whatever it is\n" + history_line(a_start()) + "rubbish\n\n");
  EXPECT_EQ(read.entries.size(), 1U);
  EXPECT_EQ(read.unknown, 1U);
  EXPECT_EQ(read.damaged, 1U);
}

TEST(HistoryOfStarts, no_more_services_are_listed_than_anybody_reads) {
  HistoryEntry entry = a_start();
  entry.services_in_all = 5000;
  entry.services.assign(5000, entry.services[0]);
  const History read = read_history(history_line(entry));
  ASSERT_EQ(read.entries.size(), 1U);
  EXPECT_EQ(read.entries[0].services.size(), most_services_in_history);
  EXPECT_EQ(read.entries[0].services_in_all, 5000U);
}

TEST(Checksum, is_the_castagnoli_one) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
}

}  // namespace
}  // namespace belfry::daemon
