// Orphans of whom it cannot be told yet whose they are: between two programs, or dying.
#include "system/orphans.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "system/proc.hpp"
#include "tests/system/fixture.hpp"

namespace belfry::system {
namespace {

using test::Capture;
using test::shell;
using test::World;

// Where the kernel looks for this process's environment. Needs no right (PR_SET_MM_MAP, prctl(2)).
void show_environment(const char* begin, const char* end) {
  std::array<unsigned long long, 60> field{};
  const std::string stat = proc::read_file("/proc/self/stat");
  const char* at = stat.c_str() + stat.rfind(')') + 4;
  for (std::size_t i = 4; i < field.size() && *at != '\0'; ++i) {
    char* after = nullptr;
    field[i] = std::strtoull(at, &after, 10);
    at = after;
  }
  prctl_mm_map map{};
  map.start_code = field[26], map.end_code = field[27], map.start_stack = field[28];
  map.start_data = field[45], map.end_data = field[46], map.start_brk = field[47];
  map.brk = reinterpret_cast<__u64>(::sbrk(0));
  map.arg_start = field[48], map.arg_end = field[49];
  map.env_start = reinterpret_cast<__u64>(begin), map.env_end = reinterpret_cast<__u64>(end);
  map.exe_fd = ~0U;
  if (::prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0) != 0) ::_exit(3);
}

const std::string of_a = std::string("BELFRY_SERVICE=t/a#1") + '\0';

void show_nothing() {
  // There is no page there any more: as in the middle of execve, the kernel has nothing to show.
  void* page = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ::munmap(page, 4096);
  show_environment(static_cast<char*>(page), static_cast<char*>(page) + 4096);
}

// Orphans in sessions of their own, without a word about whose they are until they are told to speak.
// Owner: the test. Lifecycle: its end is theirs. Cancellation: none.
class Silent {
 public:
  explicit Silent(int count) {
    int up[2];
    EXPECT_EQ(::pipe2(up, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(word_, O_CLOEXEC), 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
      for (int i = 0; i < count; ++i) {
        if (::fork() == 0) live(up[1]);
      }
      ::_exit(0);
    }
    ::close(up[1]);
    ::close(word_[0]);
    for (int i = 0; i < count; ++i) {
      pid_t pid = 0;
      EXPECT_EQ(::read(up[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
      pids.push_back(pid);
    }
    ::close(up[0]);
    ::waitid(P_PID, static_cast<id_t>(parent), nullptr, WEXITED);
  }
  ~Silent() {
    for (const pid_t pid : pids) ::kill(pid, SIGKILL);
    ::close(word_[1]);
  }
  // All of them say whose they are, before this returns.
  void speak() {
    const std::string words(pids.size(), 's');  // whoever reads one
    EXPECT_EQ(::write(word_[1], words.data(), words.size()), static_cast<ssize_t>(words.size()));
    for (const pid_t pid : pids) {
      while (proc::look_up(pid, "BELFRY_SERVICE").reading != proc::Reading::has) ::sched_yield();
    }
  }
  std::vector<pid_t> pids;

 private:
  [[noreturn]] void live(int up) {
    ::setsid();
    show_nothing();
    const pid_t self = ::getpid();
    if (::write(up, &self, sizeof self) < 0) ::_exit(3);
    ::close(up);
    ::close(word_[1]);
    char word = 0;
    if (::read(word_[0], &word, 1) == 1) show_environment(of_a.data(), of_a.data() + of_a.size());
    for (;;) ::pause();
  }
  int word_[2];
};

class OrphansTest : public testing::Test {
 protected:
  TreeId gone(const std::string& marker) {
    Launch launch = shell("exit 0");
    launch.set_marker(marker);
    const pid_t leader = world.spawn(launch);
    EXPECT_TRUE(world.run_until([&] { return world.exits.statuses.contains(leader); }));
    return {.leader = leader, .marker = marker_ = marker, .log_pipe = 0};
  }
  World world;
  std::string marker_;
};

TEST_F(OrphansTest, who_has_no_memory_to_read_says_nothing_for_or_against) {
  const Silent one(1);
  EXPECT_EQ(proc::look_up(one.pids[0], "BELFRY_SERVICE").reading, proc::Reading::undecided);
  Launch launch;
  launch.set_command(std::vector<std::string>{"/bin/sleep", "1000"});
  const pid_t bare = world.spawn(launch);
  // It has exec'd: an empty environment is one.
  while (proc::read_file("/proc/" + std::to_string(bare) + "/cmdline").empty()) ::sched_yield();
  EXPECT_EQ(proc::look_up(bare, "BELFRY_SERVICE").reading, proc::Reading::lacks);
  ::kill(bare, SIGKILL);
  siginfo_t info{};
  EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(bare), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(proc::look_up(bare, "BELFRY_SERVICE").reading, proc::Reading::undecided) << "a zombie";
}

TEST_F(OrphansTest, who_is_undecided_keeps_a_tree_from_being_proved_empty_until_it_is_known) {
  Silent one(1);
  const TreeId tree = gone("t/a#1");
  world.processes.watch_tree(tree, world.exits);
  world.loop.run_until_idle();
  EXPECT_FALSE(world.exits.tree_empty(tree.leader));
  EXPECT_TRUE(world.processes.tree_alive(tree));
  world.processes.signal(tree, SIGKILL, Scope::tree);  // whoever turns out to be its own is to go
  one.speak();
  EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(tree.leader); }));
  EXPECT_NE(::kill(one.pids[0], 0), 0) << "it was killed, and reaped";
}

TEST_F(OrphansTest, who_never_says_whose_he_is_holds_up_nobody_for_long) {
  const Silent one(1);
  const TreeId tree = gone("t/b#1");
  const auto asked_at = Clock::now();
  world.processes.watch_tree(tree, world.exits);
  EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(tree.leader); }, 5));
  EXPECT_GE(Clock::now() - asked_at, std::chrono::milliseconds(100));
  EXPECT_EQ(::kill(one.pids[0], 0), 0) << "nobody's, and left alone";
  // It has had its time: the next one to stop does not wait for it.
  while (world.processes.tree_alive({.leader = 1 << 21, .marker = "t/d#1", .log_pipe = 0})) ::sched_yield();
  const TreeId next = gone("t/c#1");
  world.processes.watch_tree(next, world.exits);
  world.loop.run_until_idle();
  EXPECT_TRUE(world.exits.tree_empty(next.leader));
}

TEST_F(OrphansTest, no_turn_looks_at_more_than_a_few_of_a_crowd) {
  const Silent crowd(100);
  const auto unread = [](Orphans& orphans) {
    return std::ranges::count_if(orphans.all(), [&](pid_t pid) {
      return orphans.learn_environment(pid)->environment == Orphans::Facts::Environment::unread;
    });
  };
  Orphans orphans;
  TimePoint now{std::chrono::hours(1)};
  const auto nobody = [](pid_t) { return false; };
  orphans.look(now, nobody);
  ASSERT_GE(orphans.all().size(), 100U);
  const auto at_first = unread(orphans);
  EXPECT_GE(at_first, 60);
  EXPECT_EQ(unread(orphans), at_first) << "not twice in a turn";
  // Who was looked at in vain is looked at again, a little less often each time, and gives way to the others.
  auto left = at_first;
  int turns = 0;
  for (; left > 0 && turns < 100; ++turns) {
    orphans.look(now += std::chrono::milliseconds(5), nobody);
    left = unread(orphans);
  }
  EXPECT_EQ(left, 0);
  EXPECT_GE(turns, 3);
}

TEST_F(OrphansTest, a_crowd_of_the_tree_is_killed_to_the_last_however_many_turns_it_takes) {
  Silent crowd(100);
  crowd.speak();
  const TreeId tree = gone("t/a#1");
  world.processes.watch_tree(tree, world.exits);
  world.processes.signal(tree, SIGKILL, Scope::tree);
  EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(tree.leader); }));
  EXPECT_TRUE(std::ranges::none_of(crowd.pids, [](pid_t pid) { return ::kill(pid, 0) == 0; }));
}

TEST_F(OrphansTest, who_may_not_be_signalled_is_marked) {
  Capture output;
  Launch launch = shell("echo up; exec sleep 1000", &output);
  const TreeId tree{.leader = world.spawn(launch), .marker = {}, .log_pipe = 0};
  output.read_line();
  EXPECT_EQ(world.processes.survivors(tree).at(0).refused, 0);
  world.kernel.kill_errors = {EPERM};
  const auto refused = world.processes.survivors(tree);
  EXPECT_EQ(refused.at(0).refused, EPERM);
  EXPECT_TRUE(text_of(refused).contains("(Operation not permitted"));
  ::kill(tree.leader, SIGKILL);
}

}  // namespace
}  // namespace belfry::system
