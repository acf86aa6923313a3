// Every task of a loop, with what it waits for and since when.
//
// The problem: a program that does not go on says nothing. Who waits for whom is in the frames of its
// coroutines, where nobody looks without a debugger.
//
// Whoever waits stands in the list of its context, and the contexts are a tree: walking it finds every wait,
// and from a wait the way up to its task is known. So nothing is written down on the way, except when a wait
// began, in bits that pointers do not use: waiting costs no memory for it, and no look at the clock. Times
// are those of the turn in which the wait began, in steps of 17 ms.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "channels/time/time.hpp"

namespace belfry {

class Loop;

// A task as it stands.
struct TaskState {
  enum class Kind : std::uint8_t {
    starts,   // spawned, and has not run yet
    ready,    // goes on in this turn or in the coming one
    waits,    // for `what`
    running,  // it is the one that asks, or it waits for something that is not of this library
  };

  std::string_view name;  // lives as long as the task
  Kind kind = Kind::running;
  std::string what;      // "bell 'ready'", "a value from channel 'jobs', or a moment in 1.5 s"
  Duration for_long{0};  // how long it has been waiting
};

// Oldest first, as Loop::each_task. Takes a walk over all waits: not for every turn. May be called from a
// task or from outside of a turn.
std::vector<TaskState> task_dump(Loop& loop);

// "db: waits since 3.10 s for bell 'ready'"
std::string to_text(const TaskState& task);
// One line for each.
std::string to_text(const std::vector<TaskState>& tasks);

}  // namespace belfry
