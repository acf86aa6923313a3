#include "channels/task.hpp"

#include <memory>
#include <stdexcept>

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;

Task<int> number(Context&, int n) { co_return n; }
Task<std::unique_ptr<int>> boxed(Context&) { co_return std::make_unique<int>(5); }
Task<int> sum_to(Context& ctx, int n) {
  if (n == 0) co_return 0;
  const int rest = co_await sum_to(ctx, n - 1);
  co_return rest + n;
}
Task<int> throws(Context&) {
  throw std::runtime_error("boom");
  co_return 0;
}
Task<> nothing(Context&, int& runs) {
  ++runs;
  co_return;
}

Task<> use_values(Context& ctx, int& out) {
  const int a = co_await number(ctx, 40);
  std::unique_ptr<int> b = co_await boxed(ctx);
  out = a + *b;
}

TEST(Task, returns_values_move_only_ones_too) {
  Rig rig;
  int out = 0;
  rig.go(use_values(rig.root, out));
  rig.idle();
  EXPECT_EQ(out, 45);
}

Task<> use_sum(Context& ctx, int& out) { out = co_await sum_to(ctx, 10000); }

TEST(Task, deep_chains_unwind) {
  Rig rig;
  int out = 0;
  rig.go(use_sum(rig.root, out));
  rig.idle();
  EXPECT_EQ(out, 50005000);
}

Task<> catch_it(Context& ctx, std::string& what) {
  try {
    (void)co_await throws(ctx);
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
}

TEST(Task, an_exception_reaches_the_one_who_awaits) {
  Rig rig;
  std::string what;
  rig.go(catch_it(rig.root, what));
  rig.idle();
  EXPECT_EQ(what, "boom");
}

TEST(Task, is_lazy_and_can_be_dropped_unstarted) {
  Rig rig;
  int runs = 0;
  {
    Task<> dropped = nothing(rig.root, runs);
  }
  EXPECT_EQ(runs, 0);
}

Task<> many_times(Context& ctx, int& runs) {
  for (int i = 0; i < 1000000; ++i) co_await nothing(ctx, runs);
}

TEST(Task, a_million_awaits_in_a_loop_need_no_stack) {
  Rig rig;
  int runs = 0;
  rig.go(many_times(rig.root, runs));
  rig.idle();
  EXPECT_EQ(runs, 1000000);
}

}  // namespace
}  // namespace belfry
