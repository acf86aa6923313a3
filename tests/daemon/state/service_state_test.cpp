#include "daemon/state/service_state.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace belfry::daemon {
namespace {

constexpr State states[] = {State::inactive, State::waiting, State::starting,  State::ready,  State::unready,
                            State::stopping, State::backoff, State::completed, State::failed, State::blocked};

Event event_at(std::size_t i) { return static_cast<Event>(i); }

TEST(ServiceState, every_state_and_event_has_a_name_of_its_own) {
  std::set<std::string_view> names;
  for (const State s : states) names.insert(name_of(s));
  EXPECT_EQ(names.size(), state_count);
  names.clear();
  for (std::size_t e = 0; e < event_count; ++e) names.insert(name_of(event_at(e)));
  EXPECT_EQ(names.size(), event_count);
}

TEST(ServiceState, every_event_leads_somewhere) {
  for (std::size_t e = 0; e < event_count; ++e) {
    bool moves = false;
    for (const State s : states) {
      const auto to = next_state(s, event_at(e));
      moves = moves || (to && *to != s);
    }
    EXPECT_TRUE(moves) << name_of(event_at(e));
  }
}

TEST(ServiceState, every_state_can_be_reached_from_inactive_and_left_again) {
  std::set<State> reached{State::inactive};
  for (std::size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (const State s : std::set<State>(reached)) {
      for (std::size_t e = 0; e < event_count; ++e) {
        if (const auto to = next_state(s, event_at(e))) reached.insert(*to);
      }
    }
  }
  EXPECT_EQ(reached.size(), state_count);
  for (const State s : states) {
    bool leaves = false;
    for (std::size_t e = 0; e < event_count; ++e) {
      const auto to = next_state(s, event_at(e));
      leaves = leaves || (to && *to != s);
    }
    EXPECT_TRUE(leaves) << name_of(s);
  }
}

TEST(ServiceState, a_running_service_comes_to_rest_only_by_way_of_stopping) {
  for (const State s : {State::starting, State::ready, State::unready}) {
    for (std::size_t e = 0; e < event_count; ++e) {
      const auto to = next_state(s, event_at(e));
      if (!to || is_running(*to)) continue;
      // The one exception: nothing came to be, so that there is nothing to stop.
      EXPECT_TRUE(s == State::starting && event_at(e) == Event::start_refused)
          << name_of(s) << " " << name_of(event_at(e));
    }
  }
}

TEST(ServiceState, what_stops_leaves_only_when_nothing_of_it_is_left) {
  for (std::size_t e = 0; e < event_count; ++e) {
    const auto to = next_state(State::stopping, event_at(e));
    if (!to || *to == State::stopping) continue;
    // The one exception: what the kernel itself cannot end is named and waited for beside the state.
    EXPECT_TRUE(name_of(event_at(e)).starts_with("gone_") || event_at(e) == Event::unkillable)
        << name_of(event_at(e));
  }
}

TEST(ServiceState, only_waiting_starts) {
  for (const State s : states) {
    for (std::size_t e = 0; e < event_count; ++e) {
      const auto to = next_state(s, event_at(e));
      if (to != State::starting || s == State::starting) continue;
      EXPECT_EQ(s, State::waiting) << name_of(event_at(e));
      EXPECT_EQ(event_at(e), Event::edges_hold);
    }
  }
}

TEST(ServiceState, a_start_may_be_asked_for_in_every_state) {
  for (const State s : states) EXPECT_TRUE(next_state(s, Event::start_asked)) << name_of(s);
}

TEST(ServiceState, a_stop_may_be_asked_for_in_every_state_and_leads_to_rest) {
  for (const State s : states) {
    const auto to = next_state(s, Event::stop_asked);
    ASSERT_TRUE(to) << name_of(s);
    EXPECT_TRUE(*to == State::inactive || *to == State::stopping || *to == State::completed) << name_of(s);
  }
}

TEST(ServiceState, back_off_never_blocks_a_dependent_and_ends_in_waiting) {
  EXPECT_FALSE(next_state(State::backoff, Event::blocked));
  EXPECT_EQ(next_state(State::backoff, Event::delay_over), State::waiting);
  EXPECT_EQ(next_state(State::blocked, Event::healed), State::waiting);
}

TEST(ServiceState, running_and_settled_exclude_each_other) {
  for (const State s : states) EXPECT_FALSE(is_running(s) && is_settled(s)) << name_of(s);
}

}  // namespace
}  // namespace belfry::daemon
