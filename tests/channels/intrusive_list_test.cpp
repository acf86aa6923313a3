#include "channels/intrusive_list.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace belfry {
namespace {

struct Member final : IntrusiveLink {
  explicit Member(int n) : number(n) {}
  int number;
};

std::vector<int> numbers(IntrusiveList<Member>& list) {
  std::vector<int> all;
  for (Member* at = list.empty() ? nullptr : &list.front(); at != nullptr; at = list.after(*at))
    all.push_back(at->number);
  return all;
}

TEST(IntrusiveList, keeps_the_order_in_which_they_came) {
  IntrusiveList<Member> list;
  Member one(1), two(2), three(3);
  for (Member* member : {&one, &two, &three}) list.push_back(*member);
  EXPECT_EQ(numbers(list), (std::vector{1, 2, 3}));
  EXPECT_EQ(&list.pop_front(), &one);
  EXPECT_FALSE(one.linked());
  EXPECT_EQ(&list.back(), &three);
}

TEST(IntrusiveList, a_member_leaves_from_the_middle_without_knowing_the_list) {
  IntrusiveList<Member> list;
  Member one(1), two(2), three(3);
  for (Member* member : {&one, &two, &three}) list.push_back(*member);
  two.unlink();
  two.unlink();  // harmless
  EXPECT_EQ(numbers(list), (std::vector{1, 3}));
}

TEST(IntrusiveList, a_member_that_is_destroyed_has_left) {
  IntrusiveList<Member> list;
  Member one(1);
  list.push_back(one);
  {
    const auto two = std::make_unique<Member>(2);
    list.push_back(*two);
  }
  EXPECT_EQ(numbers(list), (std::vector{1}));
}

TEST(IntrusiveList, moves_into_another_one_as_a_whole) {
  IntrusiveList<Member> from, to;
  Member one(1), two(2), three(3);
  to.push_back(one);
  from.push_back(two);
  from.push_back(three);
  to.splice_back(from);
  to.splice_back(from);  // nothing more
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(numbers(to), (std::vector{1, 2, 3}));
}

TEST(IntrusiveList, a_list_that_goes_leaves_its_members_alone) {
  Member one(1);
  {
    IntrusiveList<Member> list;
    list.push_back(one);
  }
  EXPECT_FALSE(one.linked());
}

}  // namespace
}  // namespace belfry
