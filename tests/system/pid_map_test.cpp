#include "system/pid_map.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace belfry::system {
namespace {

TEST(PidMap, an_empty_map_finds_nothing_and_erases_nothing) {
  PidMap<int> map;
  EXPECT_EQ(map.find(1), nullptr);
  EXPECT_FALSE(map.erase(1));
  EXPECT_TRUE(map.empty());
}

TEST(PidMap, agrees_with_a_std_map_over_many_random_steps) {
  std::mt19937 random(20261120);
  PidMap<int> map;
  std::map<pid_t, int> model;
  for (int step = 0; step < 200'000; ++step) {
    pid_t pid = static_cast<pid_t>(random() % 500 + 1);
    if (random() % 2 == 0) {
      map[pid] = step;
      model[pid] = step;
    } else {
      EXPECT_EQ(map.erase(pid), model.erase(pid) == 1);
    }
    pid_t asked = static_cast<pid_t>(random() % 500 + 1);
    auto expected = model.find(asked);
    int* found = map.find(asked);
    ASSERT_EQ(found != nullptr, expected != model.end());
    if (found != nullptr) ASSERT_EQ(*found, expected->second);
    ASSERT_EQ(map.size(), model.size());
  }
  std::map<pid_t, int> listed;
  map.each([&](pid_t pid, int value) { listed[pid] = value; });
  EXPECT_EQ(listed, model);
}

}  // namespace
}  // namespace belfry::system
