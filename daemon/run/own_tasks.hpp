// What belfry itself waits for: its own tasks, not the services.
//
// The problem: a daemon that does not go on looks like one that has nothing to do. Asked by SIGUSR1 it says
// what each of its tasks waits for and since when; and when it can never go on it says so and ends, instead
// of staying for ever.
#pragma once

#include <string>
#include <vector>

#include "channels/loop.hpp"
#include "channels/spawn.hpp"

namespace belfry::daemon {

// "task service db: waits since 3.10 s for bell 'ready'", oldest first.
std::vector<std::string> describe_own_tasks(Loop& loop);

// Runs the loop until `life` has ended. False when nothing can ever end it: all are asleep, and nothing has
// moved for `last_chance` either. In that time what is not counted on (Loop::begin_background_wait) may still
// come: a signal, the end of a process.
bool run_until_done(Loop& loop, const TaskHandle& life, Duration last_chance);

}  // namespace belfry::daemon
