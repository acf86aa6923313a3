#include "channels/error_group.hpp"

#include <stdexcept>

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;
using Policy = ErrorGroup::Policy;

Task<Result<void>> step(Context& ctx, Duration takes, std::string error, std::string& log) {
  Result<void> slept = co_await sleep_for(ctx, takes);
  if (!slept) {
    log += "cancelled(" + slept.error().text() + ");";
    co_return slept;
  }
  if (error == "throw") throw std::runtime_error("boom");
  if (!error.empty()) co_return std::unexpected(Error(Error::Kind::failed, error));
  log += "done;";
  co_return Result<void>();
}
Task<> wait_into(Context& ctx, ErrorGroup& group, std::string& log) {
  Result<void> ended = co_await group.wait(ctx);
  log += "group:" + (ended ? std::string("ok") : ended.error().text()) + ";";
}

TEST(ErrorGroup, the_first_error_is_the_result_and_cancels_the_siblings) {
  Rig rig;
  std::string log;
  ErrorGroup group(rig.root, Policy::first_error_cancels);
  spawn(group, "a", step(group.context(), seconds(1), "", log));
  spawn(group, "b", step(group.context(), seconds(2), "no disk", log));
  spawn(group, "c", step(group.context(), seconds(9), "", log));
  rig.go(wait_into(rig.root, group, log));
  rig.loop.advance(seconds(2));
  EXPECT_EQ(log, "done;cancelled(no disk);group:no disk;");
  EXPECT_FALSE(rig.root.cancelled());
}

TEST(ErrorGroup, or_all_run_and_the_errors_are_combined) {
  Rig rig;
  std::string log;
  ErrorGroup group(rig.root, Policy::all_run);
  spawn(group, "files", step(group.context(), seconds(1), "no disk", log));
  spawn(group, "sockets", step(group.context(), seconds(2), "", log));
  spawn(group, "logs", step(group.context(), seconds(3), "throw", log));
  rig.go(wait_into(rig.root, group, log));
  rig.loop.advance(seconds(3));
  EXPECT_EQ(log, "done;group:2 tasks failed: files: no disk; logs: task 'logs' threw: boom;");
}

TEST(ErrorGroup, with_nothing_wrong_it_is_ok_and_may_be_used_again) {
  Rig rig;
  std::string log;
  ErrorGroup group(rig.root, Policy::first_error_cancels);
  rig.go(wait_into(rig.root, group, log));
  rig.idle();
  spawn(group, "a", step(group.context(), seconds(1), "", log));
  rig.go(wait_into(rig.root, group, log));
  rig.loop.advance(seconds(1));
  EXPECT_EQ(log, "group:ok;done;group:ok;");
}

TEST(ErrorGroup, a_cancelled_wait_leaves_the_tasks_alone_and_the_end_beats_a_cancel) {
  Rig rig;
  std::string log;
  ErrorGroup group(rig.root, Policy::all_run);
  Context impatient(rig.root, rig.clock.now() + seconds(1));
  Context exact(rig.root, rig.clock.now() + seconds(2));
  spawn(group, "a", step(group.context(), seconds(2) - std::chrono::nanoseconds(1), "", log));
  rig.go(wait_into(impatient, group, log));
  rig.go(wait_into(exact, group, log));
  rig.loop.advance(seconds(3));
  EXPECT_EQ(log, "group:deadline exceeded;done;group:ok;");
}

struct GroupScenario {
  std::string log;
  ErrorGroup group;
  WaitGroup tasks;
  GroupScenario(Loop& loop, Context& root) : group(root, Policy::first_error_cancels), tasks(loop) {
    spawn(group, "a", step(group.context(), seconds(1), "", log));
    spawn(group, "b", step(group.context(), seconds(2), "bad", log));
    spawn(group, "c", step(group.context(), seconds(3), "", log));
    spawn(tasks, "waiter", wait_into(root, group, log));
  }
};

TEST(ErrorGroup, can_be_abandoned_at_every_step) {
  EXPECT_GT(test::abandon_at_every_step<GroupScenario>(), 5);
}

}  // namespace
}  // namespace belfry
