#include "channels/turn_meter.hpp"

#include <gtest/gtest.h>

#include "channels/loop.hpp"

namespace belfry {
namespace {

using namespace std::chrono_literals;

// Busy until the turn is a long one by the real clock.
void keep_busy() {
  const TimePoint until = Clock::now() + TurnMeter::long_turn + 1ms;
  while (Clock::now() < until) continue;
}

TEST(TurnMeter, a_short_turn_is_nobodys_fault) {
  TurnMeter meter;
  meter.begin();
  {
    const Work work(meter, "reaping");
  }
  meter.end();
  EXPECT_TRUE(meter.culprits().empty());
}

TEST(TurnMeter, every_turn_is_counted_within_its_bound) {
  TurnMeter meter;
  meter.begin();
  meter.end();
  meter.begin();
  keep_busy();
  meter.end();
  std::uint64_t within_long = 0, all = 0;
  for (std::size_t i = 0; i < meter.times().turns.size(); ++i) {
    all += meter.times().turns[i];
    if (i < TurnMeter::bounds.size() && TurnMeter::bounds[i] <= TurnMeter::long_turn)
      within_long += meter.times().turns[i];
  }
  EXPECT_EQ(all, 2U);
  EXPECT_EQ(within_long, 1U);
  EXPECT_GT(meter.times().sum, TurnMeter::long_turn);
}

TEST(TurnMeter, a_long_turn_is_the_fault_of_the_longest_piece_of_work) {
  TurnMeter meter;
  meter.begin();
  {
    const Work work(meter, "a trifle");
  }
  {
    const Work outer(meter, "descriptor events");
    const Work inner(meter, "log lines");
    keep_busy();
  }
  meter.end();
  ASSERT_EQ(meter.culprits().size(), 1U);
  EXPECT_EQ(meter.culprits()[0].name, "log lines");
  EXPECT_EQ(meter.culprits()[0].turns, 1U);
  EXPECT_GT(meter.culprits()[0].longest, TurnMeter::long_turn);
}

TEST(TurnMeter, a_long_turn_without_a_long_piece_of_work_says_so) {
  TurnMeter meter;
  meter.begin();
  keep_busy();
  meter.end();
  ASSERT_EQ(meter.culprits().size(), 1U);
  EXPECT_EQ(meter.culprits()[0].name, "many small things");
}

TEST(TurnMeter, a_loop_times_its_own_turns) {
  Loop loop;
  loop.post([&loop] {
    const Work work(loop.meter(), "the posted one");
    keep_busy();
  });
  loop.run_until_idle();
  ASSERT_EQ(loop.meter().culprits().size(), 1U);
  EXPECT_EQ(loop.meter().culprits()[0].name, "the posted one");
}

}  // namespace
}  // namespace belfry
