// Every task with what it waits for; and what a program says when nothing can go on.
// Go: SIGQUIT, "fatal error: all goroutines are asleep - deadlock!"
#include <cstdio>
#include <string>

#include "channels/channel.hpp"
#include "channels/mutex.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/task_dump.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;

namespace {

Task<> take_both(Context& ctx, Mutex& first, Mutex& second) {
  Result<Permit> one = co_await first.lock(ctx);
  co_await yield_to_all(ctx.loop());
  Result<Permit> two = co_await second.lock(ctx);  // each has what the other one wants
}

Task<> receive_one(Context& ctx, Receiver<int> in) { (void)co_await in.receive(ctx); }

}  // namespace

int main() {
  Loop loop;
  Context root(loop);
  Mutex fork(loop, "fork");
  Mutex knife(loop, "knife");
  Channel<int> jobs(loop, 0, "jobs");
  WaitGroup tasks(loop);
  spawn(tasks, "worker", receive_one(root, jobs.receiver()));
  spawn(tasks, "left philosopher", take_both(root, fork, knife));
  spawn(tasks, "right philosopher", take_both(root, knife, fork));
  if (loop.run() == RunEnd::asleep) std::puts("all asleep:");
  for (const TaskState& task : task_dump(loop))
    std::printf("  %s waits for %s\n", std::string(task.name).c_str(), task.what.c_str());
  loop.abandon();
}
