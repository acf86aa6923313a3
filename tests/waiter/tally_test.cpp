#include "waiter/tally.hpp"

#include <gtest/gtest.h>

#include "channels/loop.hpp"

namespace belfry::waiter {
namespace {

Failure failure(std::string message) { return {69, std::move(message), ""}; }

struct TallyTest : testing::Test {
  Loop loop;
};

TEST_F(TallyTest, all_have_to_be_met) {
  Tally tally(loop, false);
  tally.add("a");
  tally.add("b");
  tally.met(0);
  tally.met(0);
  EXPECT_FALSE(tally.decided().pending());
  tally.met(1);
  EXPECT_TRUE(tally.decided().pending());
  EXPECT_TRUE(tally.is_so());
}

TEST_F(TallyTest, of_any_the_first_is_enough) {
  Tally tally(loop, true);
  tally.add("a");
  tally.add("b");
  tally.hopeless(0, failure("no"));
  EXPECT_FALSE(tally.decided().pending());
  tally.met(1);
  EXPECT_TRUE(tally.decided().pending());
  EXPECT_TRUE(tally.is_so());
}

TEST_F(TallyTest, one_that_is_hopeless_ends_a_wait_for_all_and_of_any_only_the_last_one) {
  Tally all(loop, false);
  all.add("a");
  all.add("b");
  all.hopeless(1, failure("b is gone"));
  EXPECT_TRUE(all.decided().pending());
  ASSERT_TRUE(all.failure());
  EXPECT_EQ(all.failure()->message, "b is gone");

  Tally any(loop, true);
  any.add("a");
  any.add("b");
  any.hopeless(1, failure("b is gone"));
  any.hopeless(1, failure("b is gone"));
  EXPECT_FALSE(any.failure());
  any.hopeless(0, failure("a is gone"));
  ASSERT_TRUE(any.failure());
  EXPECT_EQ(any.failure()->message, "b is gone");
}

TEST_F(TallyTest, a_question_that_is_wrong_ends_even_a_wait_for_any) {
  Tally tally(loop, true);
  tally.add("a");
  tally.add("b");
  tally.refused({64, "there is no b", ""});
  EXPECT_TRUE(tally.decided().pending());
  EXPECT_EQ(tally.failure()->exit_code, 64);
  EXPECT_FALSE(tally.is_so());
}

}  // namespace
}  // namespace belfry::waiter
