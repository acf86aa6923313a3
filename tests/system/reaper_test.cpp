#include "system/reaper.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "tests/system/fixture.hpp"

namespace belfry::system {
namespace {

using test::shell;
using test::World;

class ReaperTest : public testing::Test {
 protected:
  ~ReaperTest() override {
    for (const pid_t pid : sleepers_) {
      if (!world_.exits.statuses.contains(pid)) ::kill(pid, SIGKILL);
    }
    EXPECT_TRUE(world_.run_until([&] { return world_.exits.statuses.size() == sleepers_.size(); }));
  }
  void sleepers(int count) {
    Launch launch = shell("exec sleep 1000");
    for (int i = 0; i < count; ++i) sleepers_.push_back(world_.spawn(launch));
    world_.loop.run_until_idle();  // the look for whoever had ended before there was a reaper
  }
  void expect(pid_t pid) { world_.processes.watch_tree(TreeId{pid, {}, 0}, world_.exits); }
  // Signals coalesce: however many end, the reaper is told of one.
  void end_unheard(const std::vector<pid_t>& pids) {
    for (const pid_t pid : pids) ::kill(pid, SIGKILL);
    for (const pid_t pid : pids) {
      siginfo_t info{};
      ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
    }
  }
  [[nodiscard]] bool told(const std::vector<pid_t>& pids) const {
    return std::ranges::all_of(pids, [&](pid_t pid) { return world_.exits.statuses.contains(pid); });
  }
  // From now on the reaper rests for a while after each look at all that was in vain.
  void make_looks_dear() { world_.kernel.sweep_takes = std::chrono::milliseconds(1); }

  World world_;
  std::vector<pid_t> sleepers_;
};

TEST(Reaper, hundreds_that_end_at_once_are_all_told_once) {
  World world;
  Launch launch = shell("exit 1");
  int told = 0;
  world.exits.also = [&](pid_t) { ++told; };
  for (int i = 0; i < 300; ++i) world.spawn(launch);
  ASSERT_TRUE(world.run_until([&] { return told == 300; }));
  EXPECT_EQ(world.exits.statuses.size(), 300U);
}

TEST_F(ReaperTest, who_ends_beside_another_while_the_reaper_rests_is_told_too) {
  make_looks_dear();
  sleepers(3);
  end_unheard({sleepers_[0]});
  ASSERT_TRUE(world_.run_until([&] { return told({sleepers_[0]}); }));
  end_unheard({sleepers_[1], sleepers_[2]});
  EXPECT_TRUE(world_.run_until([&] { return told(sleepers_); }));
}

TEST_F(ReaperTest, a_crowd_is_reaped_a_few_hundred_a_turn_so_that_others_come_in_between) {
  sleepers(600);
  end_unheard(sleepers_);
  std::size_t most = 0;
  while (!told(sleepers_)) {
    const std::size_t before = world_.exits.statuses.size();
    ASSERT_TRUE(world_.loop.step());
    most = std::max(most, world_.exits.statuses.size() - before);
  }
  EXPECT_LE(most, 300U);
}

TEST_F(ReaperTest, a_crowd_whose_end_is_expected_is_found_one_by_one) {
  make_looks_dear();
  sleepers(100);
  for (const pid_t pid : sleepers_) expect(pid);
  end_unheard(sleepers_);
  world_.kernel.looks_at_all_children = world_.kernel.looks_at_one_child = 0;
  ASSERT_TRUE(world_.run_until([&] { return told(sleepers_); }));
  EXPECT_EQ(world_.kernel.looks_at_one_child, 100);
  EXPECT_LE(world_.kernel.looks_at_all_children, 2);
}

TEST_F(ReaperTest, who_is_expected_behind_many_that_stay_is_found) {
  make_looks_dear();
  sleepers(70);
  for (const pid_t pid : sleepers_) expect(pid);
  end_unheard({sleepers_[68], sleepers_[69]});
  ASSERT_TRUE(world_.run_until([&] { return told({sleepers_[68], sleepers_[69]}); }));
  EXPECT_EQ(world_.exits.statuses.size(), 2U) << "nobody else";
}

TEST_F(ReaperTest, who_stays_costs_no_more_questions_than_a_look_at_all) {
  make_looks_dear();
  sleepers(70);
  for (const pid_t pid : sleepers_) expect(pid);
  world_.kernel.looks_at_one_child = 0;
  end_unheard({sleepers_[0]});
  ASSERT_TRUE(world_.run_until([&] { return told({sleepers_[0]}); }));
  EXPECT_LE(world_.kernel.looks_at_one_child, 1 + 69 / 32 + 1) << "who was named, and a share of the others";
}

TEST_F(ReaperTest, who_was_expected_and_is_disowned_is_reaped_in_silence) {
  sleepers(2);
  for (const pid_t pid : sleepers_) expect(pid);
  world_.processes.disown(sleepers_[0]);
  end_unheard(sleepers_);
  ASSERT_TRUE(world_.run_until([&] { return told({sleepers_[1]}); }));
  EXPECT_FALSE(world_.exits.statuses.contains(sleepers_[0]));
  EXPECT_EQ(::kill(sleepers_[0], 0), -1) << "it is gone all the same";
  sleepers_.erase(sleepers_.begin());
}

TEST(Reaper, what_a_process_and_its_children_took_is_told_with_its_end) {
  struct Book final : UsageListener {
    void on_usage(pid_t pid, const Usage& usage) override { last = {pid, usage}; }
    std::pair<pid_t, Usage> last;
  } book;
  World world;
  world.processes.tell_usage_to(book);
  Launch launch = shell("i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done & wait");
  const pid_t pid = world.spawn(launch);
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.contains(pid); }));
  EXPECT_EQ(book.last.first, pid);
  const Usage& usage = book.last.second;
  EXPECT_GT((usage.user + usage.system).count(), 1000) << "microseconds, of the child that it has waited for";
  EXPECT_GT(usage.peak_bytes, 100'000U);
  EXPECT_GT(own_peak_bytes(), 100'000U);
}

}  // namespace
}  // namespace belfry::system
