// limits: {parallel_starts: N}.
#include "daemon/service/start_slots.hpp"

#include "tests/daemon/rig.hpp"

namespace belfry::testing {
namespace {

class ParallelStarts : public Rig {
 public:
  std::size_t starting() const {
    std::size_t count = 0;
    for (const auto& s : supervisor->services()) count += s->state() == State::starting ? 1U : 0U;
    return count;
  }
};

TEST_F(ParallelStarts, no_more_than_the_limit_start_at_once_and_all_get_their_turn) {
  stack.parallel_starts = 2;
  for (const char* name : {"a", "b", "c", "d", "e"}) speaking(daemon(name));
  up();
  EXPECT_EQ(starting(), 2U);
  EXPECT_EQ(waiting_for(service("c")), std::vector{"one of 2 starting services"s});
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    ASSERT_EQ(state(name), State::starting);
    say_ready(name);
    EXPECT_LE(starting(), 2U);
  }
  EXPECT_TRUE(supervisor->stack_ready());
}

TEST_F(ParallelStarts, a_failed_start_gives_its_slot_back) {
  stack.parallel_starts = 1;
  speaking(daemon("a")).restart->policy = config::RestartPolicy::no;
  speaking(daemon("b"));
  up();
  ASSERT_EQ(state("b"), State::waiting);
  end("a", 1);
  EXPECT_EQ(state("b"), State::starting);
}

TEST_F(ParallelStarts, who_is_stopped_while_it_waits_for_a_slot_lets_the_next_one_pass) {
  stack.parallel_starts = 1;
  for (const char* name : {"a", "b", "c"}) speaking(daemon(name));
  up();
  command(ServiceCommand::stop, "b");
  say_ready("a");
  EXPECT_EQ(state("b"), State::inactive);
  EXPECT_EQ(state("c"), State::starting);
}

TEST_F(ParallelStarts, a_slot_is_not_kept_for_somebody_whose_dependency_has_gone) {
  stack.parallel_starts = 1;
  config::Service& db = speaking(daemon("db"));
  db.restart->delay = 1h;
  speaking(daemon("a"));
  speaking(daemon("api", {"db"}));
  speaking(daemon("z"));
  up();
  say_ready("db");  // `a` has the slot now, and `api` waits for one
  ASSERT_EQ(state("a"), State::starting);
  end("db", 1);
  say_ready("a");
  EXPECT_EQ(state("api"), State::waiting);
  EXPECT_EQ(state("z"), State::starting);
}

TEST_F(ParallelStarts, gates_take_no_slot) {
  stack.parallel_starts = 1;
  speaking(daemon("a"));
  gate("g");
  up();
  EXPECT_EQ(state("g"), State::ready);
}

}  // namespace
}  // namespace belfry::testing
