#include "channels/worker_pool.hpp"

#include <algorithm>
#include <stdexcept>

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

struct Work {
  int at_once = 0;
  int most_at_once = 0;
  int done = 0;

  static Task<> run(Context& ctx, int item, Work& self) {
    self.most_at_once = std::max(self.most_at_once, ++self.at_once);
    (void)co_await sleep_for(ctx, seconds(1));
    --self.at_once;
    if (item == 13) throw std::runtime_error("unlucky");
    ++self.done;
  }
  auto function() {
    return [this](Context& ctx, int item) { return run(ctx, item, *this); };
  }
};

Task<> submit_all(Context& ctx, WorkerPool<int>& pool, int from, int to, std::string& log) {
  for (int i = from; i < to; ++i) {
    Result<void> submitted = co_await pool.submit(ctx, i);
    if (!submitted) log += submitted.error().text() + ";";
  }
  log += "submitted;";
  Result<void> joined = co_await pool.close_and_join(ctx);
  log += joined ? "joined;" : joined.error().text() + ";";
}

TEST(WorkerPool, works_on_n_at_once_drains_and_joins) {
  Rig rig;
  Work work;
  std::string log;
  WorkerPool<int> pool(rig.root, 3, 2, "pool", work.function());
  rig.go(submit_all(rig.root, pool, 0, 10, log));
  rig.idle();
  EXPECT_EQ(log, "") << "the queue is bounded: the submitter waits";
  rig.loop.advance(seconds(10));
  EXPECT_EQ(log, "submitted;joined;");
  EXPECT_EQ(work.done, 10);
  EXPECT_EQ(work.most_at_once, 3);
}

TEST(WorkerPool, an_item_that_throws_is_reported_and_the_others_are_worked_on) {
  Rig rig;
  Work work;
  std::string log;
  WorkerPool<int> pool(rig.root, 2, 2, "pool", work.function());
  rig.go(submit_all(rig.root, pool, 10, 20, log));
  rig.loop.advance(seconds(10));
  EXPECT_EQ(log, "submitted;task 'pool' threw: unlucky;");
  EXPECT_EQ(work.done, 9);
}

TEST(WorkerPool, after_close_nothing_is_taken) {
  Rig rig;
  Work work;
  std::string log;
  WorkerPool<int> pool(rig.root, 2, 2, "pool", work.function());
  pool.close();
  rig.go(submit_all(rig.root, pool, 0, 1, log));
  rig.idle();
  EXPECT_EQ(log, "cannot send on channel 'pool': it is closed;submitted;joined;");
}

TEST(WorkerPool, the_parents_cancel_ends_the_workers) {
  Rig rig;
  Work work;
  Context parent(rig.root);
  WorkerPool<int> pool(parent, 2, 8, "pool", work.function());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(pool.try_submit(i));
  rig.idle();
  parent.cancel();
  rig.idle();
  EXPECT_EQ(rig.loop.tasks(), 0U);
}

struct PoolScenario {
  Work work;
  std::string log;
  WorkerPool<int> pool;
  WaitGroup tasks;
  PoolScenario(Loop& loop, Context& root) : pool(root, 2, 1, "pool", work.function()), tasks(loop) {
    spawn(tasks, "submitter", submit_all(root, pool, 0, 4, log));
  }
};

TEST(WorkerPool, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<PoolScenario>(), 5);
}

}  // namespace
}  // namespace belfry
