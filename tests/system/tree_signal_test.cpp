#include "system/tree_signal.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

namespace belfry::system {
namespace {

constexpr std::size_t piece = TreeSignal::piece;

// Children of the test that wait for their end.
class Crowd {
 public:
  explicit Crowd(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) add();
  }
  ~Crowd() {
    for (const pid_t pid : pids) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void add() {
    const pid_t pid = ::fork();
    if (pid == 0) {
      for (;;) ::pause();
    }
    pids.push_back(pid);
  }

  std::vector<pid_t> pids;
};

// Knows the crowd as a tree, and writes down who is told.
class Knowledge final : public TreeKnowledge {
 public:
  explicit Knowledge(const Crowd& of) : crowd(of) {}

  std::vector<pid_t> roots_of(const TreeId&) override {
    ++walks;
    return crowd.pids;
  }
  bool signal_group(const TreeId&, int) override {
    ++groups;
    return true;
  }
  bool send(pid_t pid, int) override {
    told.push_back(pid);
    return true;
  }
  bool leads_another(pid_t pid, const TreeId&) override { return pid == another; }

  const Crowd& crowd;
  std::vector<pid_t> told;
  pid_t another = 0;
  int walks = 0;
  int groups = 0;
};

// A number that no group has: everybody is told one by one.
const TreeId tree{.leader = 1 << 30, .marker = {}, .log_pipe = 0};

TEST(TreeSignal, everybody_is_found_before_the_first_is_told_and_each_piece_is_bounded) {
  const Crowd crowd(piece + 44);
  Knowledge knowledge(crowd);
  TreeSignal signal(knowledge, tree, SIGTERM);
  EXPECT_TRUE(signal.has_found_somebody());
  EXPECT_FALSE(signal.go_on());
  EXPECT_TRUE(knowledge.told.empty());
  EXPECT_EQ(knowledge.groups, 0);
  EXPECT_FALSE(signal.go_on());
  EXPECT_EQ(knowledge.told.size(), piece - 44);
  EXPECT_TRUE(signal.go_on());
  EXPECT_EQ(knowledge.told, crowd.pids);
  EXPECT_EQ(knowledge.groups, 1);
  EXPECT_EQ(knowledge.walks, 1);
}

TEST(TreeSignal, sigkill_is_repeated_until_nobody_new_is_found_and_nobody_is_told_twice) {
  Crowd crowd(3);
  Knowledge knowledge(crowd);
  EXPECT_TRUE(TreeSignal(knowledge, tree, SIGKILL).go_on());
  EXPECT_EQ(knowledge.walks, 2);
  EXPECT_EQ(knowledge.told, crowd.pids);
}

TEST(TreeSignal, whose_number_is_anothers_by_now_is_not_told) {
  const Crowd crowd(3);
  Knowledge knowledge(crowd);
  knowledge.another = crowd.pids[1];
  EXPECT_TRUE(TreeSignal(knowledge, tree, SIGTERM).go_on());
  EXPECT_EQ(knowledge.told, (std::vector{crowd.pids[0], crowd.pids[2]}));
}

TEST(TreeSignal, who_has_a_parent_outside_the_tree_is_not_told) {
  int up[2];
  ASSERT_EQ(::pipe(up), 0);
  Crowd crowd(0);
  crowd.pids.push_back(::fork());
  if (crowd.pids[0] == 0) {
    const pid_t below = ::fork();
    if (below > 0) (void)!::write(up[1], &below, sizeof below);
    for (;;) ::pause();
  }
  pid_t grandchild = 0;
  ASSERT_EQ(::read(up[0], &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
  Crowd alone(0);
  alone.pids.push_back(grandchild);
  Knowledge knowledge(alone);
  EXPECT_TRUE(TreeSignal(knowledge, tree, SIGTERM).go_on());
  EXPECT_TRUE(knowledge.told.empty());
  Knowledge whole(crowd);
  EXPECT_TRUE(TreeSignal(whole, tree, SIGTERM).go_on());
  EXPECT_EQ(whole.told, (std::vector{crowd.pids[0], grandchild}));
  ::close(up[0]);
  ::close(up[1]);
}

TEST(TreeSignal, without_its_leader_it_ends_with_the_round_and_spares_the_group) {
  const Crowd crowd(piece + 1);
  Knowledge knowledge(crowd);
  TreeSignal signal(knowledge, tree, SIGKILL);
  EXPECT_FALSE(signal.go_on());
  signal.leader_is_gone();
  while (!signal.go_on()) {
  }
  EXPECT_EQ(knowledge.told, crowd.pids);
  EXPECT_EQ(knowledge.groups, 0);
  EXPECT_EQ(knowledge.walks, 1);
}

}  // namespace
}  // namespace belfry::system
