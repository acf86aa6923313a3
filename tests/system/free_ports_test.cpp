#include "system/free_ports.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace belfry::system {
namespace {

TEST(FreePorts, are_as_many_as_were_asked_for_and_distinct) {
  auto ports = free_loopback_ports(50);
  ASSERT_EQ(ports.size(), 50U);
  std::ranges::sort(ports);
  EXPECT_EQ(std::ranges::adjacent_find(ports), ports.end());
  EXPECT_GT(ports.front(), 0);
}

TEST(FreePorts, of_none_are_none) { EXPECT_TRUE(free_loopback_ports(0).empty()); }

}  // namespace
}  // namespace belfry::system
