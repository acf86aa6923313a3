// A request to stop that comes twice is one; a second one means it.
#include "daemon/supervisor/stop_requests.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace belfry::daemon {
namespace {

using namespace std::chrono_literals;
using Meaning = StopRequests::Meaning;

constexpr TimePoint start{1h};

system::SignalEvent from_terminal(int number) { return {.number = number, .from_kernel = true}; }
system::SignalEvent from_process(int number, pid_t sender = 77) {
  return {.number = number, .sender = sender, .user = 0};
}

TEST(StopRequests, the_same_signal_twice_within_half_a_second_is_one_request) {
  StopRequests requests;
  EXPECT_EQ(requests.take(from_process(SIGTERM), start), Meaning::asks);
  EXPECT_EQ(requests.take(from_process(SIGTERM, 78), start + 3ms), Meaning::echoes);
  EXPECT_EQ(requests.take(from_process(SIGTERM), start + 499ms), Meaning::echoes);
  EXPECT_EQ(requests.first(), SIGTERM);
}

TEST(StopRequests, a_wrapper_that_passes_the_terminals_request_on_asks_for_the_same) {
  StopRequests requests;
  EXPECT_EQ(requests.take(from_terminal(SIGINT), start), Meaning::asks);
  EXPECT_EQ(requests.take(from_process(SIGINT), start + 3ms), Meaning::echoes);
  EXPECT_EQ(requests.take(from_process(SIGTERM), start + 5ms), Meaning::echoes);
}

TEST(StopRequests, another_signal_of_the_same_kind_of_sender_means_it) {
  StopRequests requests;
  EXPECT_EQ(requests.take(from_process(SIGTERM), start), Meaning::asks);
  EXPECT_EQ(requests.take(from_process(SIGINT), start + 3ms), Meaning::kills);
}

TEST(StopRequests, a_second_request_later_means_it_and_says_why) {
  StopRequests requests;
  EXPECT_EQ(requests.take(from_terminal(SIGINT), start), Meaning::asks);
  EXPECT_EQ(requests.take(from_terminal(SIGINT), start + 100ms), Meaning::echoes);
  EXPECT_EQ(requests.take(from_terminal(SIGINT), start + 2100ms), Meaning::kills);
  EXPECT_EQ(requests.why_killed(), "a second request, SIGINT 2s100ms after SIGINT");
}

TEST(StopRequests, quit_kills_at_once_and_others_are_no_requests) {
  StopRequests requests;
  EXPECT_EQ(requests.take(from_process(SIGHUP), start), Meaning::none);
  EXPECT_EQ(requests.first(), 0);
  EXPECT_EQ(requests.take(from_terminal(SIGQUIT), start), Meaning::kills);
  EXPECT_EQ(requests.why_killed(), "SIGQUIT");
  EXPECT_EQ(requests.take(from_process(SIGTERM), start + 1h), Meaning::asks)
      << "it was the first request to stop";
}

}  // namespace
}  // namespace belfry::daemon
