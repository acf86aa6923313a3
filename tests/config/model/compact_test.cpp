#include "config/model/compact.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace belfry::config {
namespace {

using namespace std::chrono_literals;

TEST(CompactOptional, is_unset_until_it_is_set_and_no_larger_than_its_value) {
  OptionalDuration some;
  EXPECT_FALSE(some);
  EXPECT_EQ(some.value_or(3s), 3s);
  some = 0s;
  ASSERT_TRUE(some);
  EXPECT_EQ(*some, 0s);
  some.reset();
  EXPECT_EQ(some, OptionalDuration());
  static_assert(sizeof(OptionalDuration) == sizeof(Duration));
}

TEST(CompactOptional, goes_to_a_std_optional_and_back) {
  const OptionalDuration none = std::optional<Duration>();
  EXPECT_FALSE(none);
  const OptionalDuration two = std::optional<Duration>(2s);
  const std::optional<Duration> back = two;
  EXPECT_EQ(back, 2s);
}

TEST(Rarely, reads_as_a_default_until_it_is_written) {
  Rarely<std::vector<int>> part;
  const auto& looked_at = part;
  EXPECT_TRUE(looked_at->empty());
  const Rarely<std::vector<int>> other;
  EXPECT_EQ(&*looked_at, &*other) << "nobody who only reads has a part of his own";
  part->push_back(1);
  EXPECT_EQ(looked_at->size(), 1U);
  EXPECT_TRUE(other->empty());
}

TEST(Rarely, a_copy_has_a_part_of_its_own) {
  Rarely<std::string> one = std::string("a");
  Rarely<std::string> copy = one;
  *copy = "b";
  EXPECT_EQ(*one, "a");
  one = copy;
  EXPECT_EQ(*one, "b");
}

TEST(SharedText, copies_share_one_text) {
  const SharedText one = std::string("/srv/shop");
  const SharedText copy = one;  // NOLINT(performance-unnecessary-copy-initialization): what is tested
  EXPECT_EQ(&one.str(), &copy.str());
  EXPECT_EQ(SharedText().str(), "");
}

}  // namespace
}  // namespace belfry::config
