#include "daemon/run/own_tasks.hpp"

#include <algorithm>

#include "channels/task_dump.hpp"
#include "channels/timer_queue.hpp"

namespace belfry::daemon {

namespace {

// The times of a dump have steps.
constexpr Duration of_the_dump = std::chrono::milliseconds(50);

// A task at a moment; its name is a copy, because it may have ended since.
struct Seen {
  std::string name;
  Duration waits_for{-1};  // negative: it does not wait
};

std::vector<Seen> look_at(Loop& loop) {
  std::vector<Seen> all;
  for (const TaskState& task : task_dump(loop))
    all.push_back(
        {std::string(task.name), task.kind == TaskState::Kind::waits ? task.for_long : Duration(-1)});
  return all;
}

// Whether nobody has gone on for (nearly) all of this time.
bool nobody_moved(const std::vector<Seen>& before, const std::vector<Seen>& after, Duration time) {
  return std::ranges::equal(before, after, [time](const Seen& was, const Seen& is) {
    return is.name == was.name && is.waits_for >= Duration::zero() &&
           is.waits_for >= was.waits_for + time - of_the_dump;
  });
}

}  // namespace

std::vector<std::string> describe_own_tasks(Loop& loop) {
  std::vector<std::string> lines;
  for (const TaskState& task : task_dump(loop)) lines.push_back("task " + to_text(task));
  return lines;
}

bool run_until_done(Loop& loop, const TaskHandle& life, Duration last_chance) {
  while (loop.run() == RunEnd::asleep && !life.done()) {
    const std::vector<Seen> before = look_at(loop);
    Timer wait(loop);
    wait.arm(saturating_add(loop.now(), last_chance), [&loop] { loop.stop(); });
    loop.run();
    if (!life.done() && nobody_moved(before, look_at(loop), last_chance)) return false;
  }
  return life.done();
}

}  // namespace belfry::daemon
