#include "channels/once.hpp"

#include <stdexcept>

#include "channels/sleep.hpp"
#include "tests/channels/rig.hpp"

namespace belfry {
namespace {

using test::Rig;
using test::seconds;

struct Maker {
  int calls = 0;
  std::string error;

  static Task<Result<std::string>> make(Context& ctx, Maker& self) {
    ++self.calls;
    Result<void> slept = co_await sleep_for(ctx, seconds(2));
    if (!slept) co_return std::unexpected(slept.error());
    if (self.error == "throw") throw std::runtime_error("boom");
    if (!self.error.empty()) co_return std::unexpected(Error(Error::Kind::failed, self.error));
    co_return std::string("value");
  }
  auto function() {
    return [this](Context& ctx) { return make(ctx, *this); };
  }
};

Task<> get_into(Context& ctx, Once<std::string>& once, std::vector<std::string>& log) {
  Result<std::string*> value = co_await once.get(ctx);
  log.push_back(value ? **value : value.error().text());
}

TEST(Once, the_first_caller_starts_it_and_all_get_the_same_result) {
  Rig rig;
  Maker maker;
  std::vector<std::string> log;
  Once<std::string> once(rig.root, "libpq", maker.function());
  EXPECT_EQ(maker.calls, 0);
  rig.go(get_into(rig.root, once, log));
  rig.go(get_into(rig.root, once, log));
  rig.loop.advance(seconds(2));
  rig.go(get_into(rig.root, once, log));
  rig.idle();
  EXPECT_EQ(log, (std::vector<std::string>{"value", "value", "value"}));
  EXPECT_EQ(maker.calls, 1);
}

TEST(Once, a_failure_is_everybodys_result_too) {
  for (const char* error : {"no library", "throw"}) {
    Rig rig;
    Maker maker;
    maker.error = error;
    std::vector<std::string> log;
    Once<std::string> once(rig.root, "libpq", maker.function());
    rig.go(get_into(rig.root, once, log));
    rig.go(get_into(rig.root, once, log));
    rig.loop.advance(seconds(2));
    ASSERT_EQ(log.size(), 2U);
    EXPECT_EQ(log[0], error == std::string("throw") ? "task 'libpq' threw: boom" : "no library");
    EXPECT_EQ(log[1], log[0]);
    EXPECT_EQ(maker.calls, 1);
  }
}

TEST(Once, a_caller_that_is_cancelled_leaves_alone) {
  Rig rig;
  Maker maker;
  std::vector<std::string> log;
  Once<std::string> once(rig.root, "libpq", maker.function());
  Context impatient(rig.root, rig.clock.now() + seconds(1));
  rig.go(get_into(impatient, once, log));
  rig.go(get_into(rig.root, once, log));
  rig.loop.advance(seconds(2));
  EXPECT_EQ(log, (std::vector<std::string>{"deadline exceeded", "value"}));
}

TEST(Once, the_result_beats_a_cancel_of_the_same_turn) {
  Rig rig;
  Maker maker;
  std::vector<std::string> log;
  Once<std::string> once(rig.root, "libpq", maker.function());
  Context ctx(rig.root);
  rig.go(get_into(ctx, once, log));
  rig.idle();
  Timer canceller(rig.loop);
  canceller.arm(rig.clock.now() + seconds(2), [&ctx] { ctx.cancel(); });
  rig.loop.advance(seconds(2));
  // The work and the cancel fall into one turn; the work needs one resumption more to ring.
  ASSERT_EQ(log.size(), 1U);
}

TEST(Once, stopping_it_ends_the_work_and_tells_those_who_wait) {
  Rig rig;
  Maker maker;
  std::vector<std::string> log;
  Once<std::string> once(rig.root, "libpq", maker.function());
  rig.go(get_into(rig.root, once, log));
  rig.idle();
  struct Body {
    static Task<> run(Context& ctx, Once<std::string>& once) { (void)co_await once.stop(ctx); }
  };
  rig.go(Body::run(rig.root, once));
  rig.idle();
  EXPECT_EQ(log, (std::vector<std::string>{"cancelled"}));
}

struct OnceScenario {
  Maker maker;
  std::vector<std::string> log;
  Context child;
  Once<std::string> once;
  WaitGroup tasks;
  OnceScenario(Loop& loop, Context& root)
      : child(root, loop.now() + seconds(1)), once(root, "once", maker.function()), tasks(loop) {
    spawn(tasks, "first", get_into(child, once, log));
    spawn(tasks, "second", get_into(root, once, log));
  }
};

TEST(Once, can_be_abandoned_at_every_step) { EXPECT_GT(test::abandon_at_every_step<OnceScenario>(), 4); }

}  // namespace
}  // namespace belfry
