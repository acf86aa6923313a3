// What every test of this library stands on: a loop with a manual clock, a root context, a census
// that is zero at the end, and the walk that tears a scenario down after every single step.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/spawn.hpp"
#include "channels/task.hpp"
#include "channels/wait_group.hpp"

namespace belfry::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Declared first in a test, so that it outlives what the test makes.
struct Rig {
  ManualClock clock;
  Loop loop{clock};
  Context root{loop};
  WaitGroup tasks{loop, "tasks of the test"};

  ~Rig() { EXPECT_EQ(loop.tasks(), 0U) << "the census is not zero at the end of the test"; }

  void go(Task<> task) { spawn(tasks, "test task", std::move(task)); }
  std::size_t idle() { return loop.run_until_idle(); }
};

// Moves a loop by one step: a resumption, an Asio handler, or a jump to the next deadline.
inline bool one_step(Loop& loop, ManualClock& clock) {
  if (loop.step()) return true;
  if (loop.timers().empty()) return false;
  clock.set(*loop.timers().earliest());
  return true;
}

// Runs Scenario(loop, root) for 0, 1, 2… steps, abandons the loop there, and destroys the scenario's
// primitives and then the loop. Returns how many steps the whole scenario takes.
template <class Scenario>
int abandon_at_every_step() {
  for (int limit = 0;; ++limit) {
    ManualClock clock;
    Loop loop(clock);
    Context root(loop);
    Scenario scenario(loop, root);
    int steps = 0;
    while (steps < limit && one_step(loop, clock)) ++steps;
    const bool over = steps < limit;
    if (over) EXPECT_EQ(loop.tasks(), 0U) << "the scenario does not come to its end";
    loop.abandon();
    EXPECT_EQ(loop.tasks(), 0U);
    if (over || limit > 100000) return steps;
  }
}

}  // namespace belfry::test
