#include "daemon/notify/message.hpp"

#include <gtest/gtest.h>

namespace belfry::daemon {
namespace {

TEST(NotifyMessage, ready_and_status_come_in_one_datagram) {
  const auto message = parse_notify_message("STATUS=accepting connections\nREADY=1\n");
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->ready);
  EXPECT_EQ(message->status, "accepting connections");
}

TEST(NotifyMessage, unknown_assignments_are_ignored) {
  const auto message = parse_notify_message("X_OWN=1\nREADY=0\nREADY=1x\nnonsense");
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->ready);
}

TEST(NotifyMessage, stopping_and_reloading_are_told_apart) {
  EXPECT_TRUE(parse_notify_message("STOPPING=1")->stopping);
  EXPECT_TRUE(parse_notify_message("RELOADING=1\nMONOTONIC_USEC=12")->reloading);
}

TEST(NotifyMessage, one_trailing_nul_is_fine_and_one_inside_is_refused) {
  EXPECT_TRUE(parse_notify_message(std::string_view("READY=1\0", 8))->ready);
  const auto refused = parse_notify_message(std::string_view("READY=1\0STATUS=x", 16));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), NotifyRefusal::has_nul);
}

TEST(NotifyMessage, more_than_4096_bytes_are_refused) {
  EXPECT_TRUE(parse_notify_message(std::string(4096, 'x')));
  EXPECT_EQ(parse_notify_message(std::string(4097, 'x')).error(), NotifyRefusal::too_long);
}

TEST(NotifyMessage, what_comes_with_a_status_that_is_not_utf8_counts_all_the_same) {
  const auto message = parse_notify_message("READY=1\nSTATUS=caf\xe9");
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->ready);
  EXPECT_TRUE(message->bad_status);
  EXPECT_EQ(message->status, std::nullopt);
}

TEST(NotifyMessage, a_status_that_is_not_utf8_is_refused) {
  EXPECT_TRUE(parse_notify_message("STATUS=grün"));
  EXPECT_EQ(parse_notify_message("STATUS=\xff").error(), NotifyRefusal::not_utf8);
  EXPECT_FALSE(parse_notify_message("STATUS=\xe2\x82"));          // cut in the middle of a character
  EXPECT_FALSE(parse_notify_message("STATUS=\xc0\xaf"));          // overlong
  EXPECT_FALSE(parse_notify_message("STATUS=\xe0\x80\xaf"));      // overlong
  EXPECT_FALSE(parse_notify_message("STATUS=\xed\xa0\x80"));      // a surrogate
  EXPECT_FALSE(parse_notify_message("STATUS=\xf4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_TRUE(parse_notify_message("STATUS=\xed\x9f\xbf\xf4\x8f\xbf\xbf"));
}

TEST(NotifyMessage, an_empty_datagram_says_nothing) {
  const auto message = parse_notify_message("");
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->ready || message->stopping || message->reloading || message->status);
}

TEST(NotifyMessage, a_watchdog_is_fed_triggered_and_set) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_notify_message("WATCHDOG=1")->watchdog, WatchdogPing::alive);
  EXPECT_EQ(parse_notify_message("WATCHDOG=trigger")->watchdog, WatchdogPing::trigger);
  EXPECT_EQ(parse_notify_message("WATCHDOG=2")->watchdog, WatchdogPing::none);
  EXPECT_EQ(parse_notify_message("WATCHDOG_USEC=20000000")->watchdog_interval, 20s);
  EXPECT_EQ(parse_notify_message("WATCHDOG_USEC=0")->watchdog_interval, 0s);
}

TEST(NotifyMessage, times_are_microseconds_and_nonsense_is_ignored) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_notify_message("EXTEND_TIMEOUT_USEC=1500")->extend_timeout, 1500us);
  EXPECT_EQ(parse_notify_message("RELOADING=1\nMONOTONIC_USEC=12")->monotonic, TimePoint(12us));
  for (const char* text : {"EXTEND_TIMEOUT_USEC=", "EXTEND_TIMEOUT_USEC=-1", "EXTEND_TIMEOUT_USEC=1s",
                           "EXTEND_TIMEOUT_USEC= 1", "EXTEND_TIMEOUT_USEC=99999999999999999999999"})
    EXPECT_FALSE(parse_notify_message(text)->extend_timeout) << text;
}

TEST(NotifyMessage, for_ever_fits_into_the_clock) {
  const auto message = parse_notify_message("EXTEND_TIMEOUT_USEC=18446744073709551615");
  ASSERT_TRUE(message && message->extend_timeout);
  EXPECT_GT(Clock::now() + *message->extend_timeout, Clock::now());
}

TEST(NotifyMessage, a_main_pid_is_a_process_number) {
  EXPECT_EQ(parse_notify_message("MAINPID=4711")->main_pid, 4711);
  for (const char* text : {"MAINPID=0", "MAINPID=1", "MAINPID=-5", "MAINPID=x", "MAINPID=99999999999"})
    EXPECT_FALSE(parse_notify_message(text)->main_pid) << text;
}

TEST(NotifyMessage, errno_and_exit_status_are_kept) {
  const auto message = parse_notify_message("ERRNO=2\nEXIT_STATUS=3\nSTATUS=no such file");
  EXPECT_EQ(message->errnum, 2);
  EXPECT_EQ(message->exit_status, 3);
  EXPECT_FALSE(parse_notify_message("ERRNO=-2")->errnum);
  EXPECT_FALSE(parse_notify_message("EXIT_STATUS=256")->exit_status);
}

TEST(NotifyMessage, descriptors_are_stored_under_a_name_and_removed_by_it) {
  const auto stored = parse_notify_message("FDSTORE=1\nFDNAME=state\nFDPOLL=0");
  EXPECT_TRUE(stored->store_descriptors);
  EXPECT_EQ(stored->descriptor_name, "state");
  EXPECT_FALSE(stored->poll_descriptors);
  EXPECT_TRUE(parse_notify_message("FDSTOREREMOVE=1\nFDNAME=state")->remove_descriptors);
}

TEST(NotifyMessage, a_name_that_could_not_be_passed_on_is_ignored) {
  for (const std::string& name :
       {std::string("a:b"), std::string("a\tb"), std::string("\xc3\xa4"), std::string(256, 'x')})
    EXPECT_EQ(parse_notify_message("FDSTORE=1\nFDNAME=" + name)->descriptor_name, "") << name;
  EXPECT_EQ(parse_notify_message("FDNAME=" + std::string(255, 'x'))->descriptor_name.size(), 255U);
}

TEST(NotifyMessage, a_barrier_stands_alone) {
  EXPECT_TRUE(parse_notify_message("BARRIER=1")->barrier);
  EXPECT_TRUE(parse_notify_message("BARRIER=1\n")->barrier);
  EXPECT_EQ(parse_notify_message("READY=1\nBARRIER=1").error(), NotifyRefusal::bad_barrier);
}

}  // namespace
}  // namespace belfry::daemon
