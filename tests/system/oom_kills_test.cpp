// The kernel's counter of processes that it has killed for lack of memory.
#include "system/oom_kills.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "channels/loop.hpp"

namespace belfry::system {
namespace {

using namespace std::chrono_literals;

class OomKillsTest : public ::testing::Test {
 protected:
  OomKillsTest() { kills(5); }
  ~OomKillsTest() override { std::filesystem::remove(file_); }
  void kills(int count) const {
    std::ofstream(file_) << "nr_free_pages 1\noom_kill " << count << "\nballoon_inflate 0\n";
  }
  ManualClock clock_;
  Loop loop_{clock_};
  std::string file_ =
      (std::filesystem::temp_directory_path() / ("belfry-vmstat-" + std::to_string(::getpid()))).string();
  OomKills counted_{loop_, file_};
};

TEST_F(OomKillsTest, those_since_a_beginning_are_told) {
  const OomKills::Look begun = counted_.begin();
  EXPECT_FALSE(counted_.since(begun)) << "the look is taken when nothing else is left to do";
  loop_.run_until_idle();
  EXPECT_EQ(counted_.since(begun), 0U);
  kills(7);
  EXPECT_EQ(counted_.since(begun), 2U);
}

TEST_F(OomKillsTest, who_begins_within_a_second_shares_a_look) {
  const OomKills::Look first = counted_.begin();
  loop_.run_until_idle();
  loop_.advance(999ms);
  EXPECT_EQ(counted_.begin(), first);
  loop_.advance(1ms);
  kills(6);
  const OomKills::Look later = counted_.begin();
  loop_.run_until_idle();
  EXPECT_NE(later, first);
  EXPECT_EQ(counted_.since(later), 0U);
  EXPECT_EQ(counted_.since(first), 1U);
}

TEST_F(OomKillsTest, where_nothing_is_to_be_seen_nothing_is_said) {
  OomKills nowhere(loop_, "/no/such/vmstat");
  const OomKills::Look begun = nowhere.begin();
  loop_.run_until_idle();
  EXPECT_FALSE(nowhere.since(begun));
  EXPECT_FALSE(counted_.since(nullptr)) << "nobody began";
}

}  // namespace
}  // namespace belfry::system
