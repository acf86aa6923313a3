#include "daemon/run/own_tasks.hpp"

#include <cstdint>
#include <numeric>

#include "channels/task_dump.hpp"
#include "channels/timer_queue.hpp"

namespace belfry::daemon {

namespace {

std::uint64_t turns_of(const Loop& loop) {
  const auto& turns = loop.meter().times().turns;
  return std::accumulate(turns.begin(), turns.end(), std::uint64_t{0});
}

// What a timer that stops the loop costs by itself: the turn that arms it, and the one in which it fires.
constexpr std::uint64_t turns_of_the_wait = 2;

}  // namespace

std::vector<std::string> describe_own_tasks(Loop& loop) {
  std::vector<std::string> lines;
  for (const TaskState& task : task_dump(loop)) lines.push_back("task " + to_text(task));
  return lines;
}

bool run_until_done(Loop& loop, const TaskHandle& life, Duration last_chance) {
  while (loop.run() == RunEnd::asleep && !life.done()) {
    const std::uint64_t before = turns_of(loop);
    Timer wait(loop);
    wait.arm(saturating_add(loop.now(), last_chance), [&loop] { loop.stop(); });
    loop.run();
    if (!life.done() && turns_of(loop) - before <= turns_of_the_wait) return false;
  }
  return life.done();
}

}  // namespace belfry::daemon
