#include "system/subreaper_shim.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "system/proc.hpp"
#include "system/spawner.hpp"
#include "tests/system/fixture.hpp"

namespace belfry::system {
namespace {

using test::Capture;
using test::shell;
using test::World;

class SubreaperShimTest : public testing::Test {
 protected:
  struct Service {
    TreeId tree;
    std::string line;
  };
  // Starts the script isolated; it must print one line when everything is in place.
  Service start(const std::string& script, const char* marker = "t/a#1") {
    Capture output;
    Launch launch = shell(script, &output);
    launch.set_marker(marker);
    launch.isolate = true;
    Service service;
    service.tree = TreeId{world.spawn(launch), marker, output.inode()};
    output.close_writer();
    service.line = output.read_line();
    return service;
  }
  bool ended(const Service& service) { return world.exits.statuses.contains(service.tree.leader); }
  bool empty(const Service& service) { return world.exits.tree_empty(service.tree.leader); }
  static pid_t parent_of(pid_t pid) {
    const std::string stat = proc::read_file("/proc/" + std::to_string(pid) + "/stat");
    return std::stoi(stat.substr(stat.rfind(')') + 4));
  }
  void kill_and_wait(const Service& service) {
    world.processes.watch_tree(service.tree, world.exits);
    EXPECT_TRUE(world.processes.signal(service.tree, SIGKILL, Scope::tree));
    EXPECT_TRUE(world.run_until([&] { return empty(service); }));
  }

  World world;
};

// No session, environment, output and parent in common with its service: only the shim knows.
const std::string stranger = "(env -i setsid /bin/sh -c 'echo $$; exec /bin/sleep 1000 >/dev/null 2>&1' &); ";

TEST_F(SubreaperShimTest, stands_between_belfry_and_the_service_and_is_told_of_nothing_else) {
  auto service = start("echo $$; sleep 1000");
  EXPECT_EQ(service.line, std::to_string(service.tree.leader));
  const pid_t shim = parent_of(service.tree.leader);
  EXPECT_EQ(parent_of(shim), ::getpid());
  world.loop.run_until_idle();
  while (proc::read_file("/proc/" + std::to_string(shim) + "/comm") != "belfry-shim\n") ::sched_yield();
  EXPECT_TRUE(proc::pipes_of(shim).empty());  // the log pipe must end with the service
  EXPECT_EQ(::getsid(service.tree.leader), service.tree.leader);
  EXPECT_NE(::getsid(shim), ::getsid(0));
  kill_and_wait(service);
}

TEST_F(SubreaperShimTest, the_exit_status_is_the_services_own) {
  auto service = start("echo up; exit 7");
  EXPECT_TRUE(world.run_until([&] { return ended(service); }));
  EXPECT_EQ(world.exits.statuses[service.tree.leader], (ExitStatus{.signaled = false, .value = 7}));
  auto killed = start("echo up; kill -USR1 $$");
  EXPECT_TRUE(world.run_until([&] { return ended(killed); }));
  EXPECT_EQ(world.exits.statuses[killed.tree.leader], (ExitStatus{.signaled = true, .value = SIGUSR1}));
}

TEST_F(SubreaperShimTest, a_start_that_fails_is_told_with_its_stage_and_leaves_nobody) {
  Launch launch;
  launch.set_command(std::vector<std::string>{"/no/such/program"});
  launch.isolate = true;
  auto refused = world.processes.spawn(launch, world.exits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text(launch.command()),
            "exec: /no/such/program: the directory /no does not exist");
  Launch nowhere = shell("true");
  nowhere.isolate = true;
  nowhere.working_dir = "/no/such/place";
  EXPECT_EQ(world.processes.spawn(nowhere, world.exits).error().stage, SpawnStage::working_dir);
  EXPECT_TRUE(world.run_until([] { return proc::children_of(::getpid()).empty(); }));
}

TEST_F(SubreaperShimTest, what_erased_every_trace_keeps_its_tree_alive_and_is_killed) {
  auto service = start(stranger + "exit 0");
  world.processes.watch_tree(service.tree, world.exits);
  ASSERT_TRUE(world.run_until([&] { return ended(service); }));
  world.loop.run_until_idle();
  EXPECT_FALSE(empty(service));
  EXPECT_TRUE(world.processes.tree_alive(service.tree));
  auto left = world.processes.survivors(service.tree);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(std::to_string(left[0].pid), service.line);
  EXPECT_TRUE(world.processes.strays().empty());
  EXPECT_TRUE(world.processes.signal(service.tree, SIGTERM, Scope::tree));
  EXPECT_TRUE(world.run_until([&] { return empty(service); }));
  EXPECT_FALSE(world.processes.tree_alive(service.tree));
}

TEST_F(SubreaperShimTest, two_that_daemonise_without_a_trace_are_kept_apart) {
  auto a = start(stranger + "exit 0", "t/a#1");
  auto b = start(stranger + "exit 0", "t/b#1");
  world.processes.watch_tree(b.tree, world.exits);
  kill_and_wait(a);
  ASSERT_TRUE(world.run_until([&] { return ended(b); }));
  EXPECT_FALSE(empty(b));
  ASSERT_EQ(world.processes.survivors(b.tree).size(), 1U);
  kill_and_wait(b);
}

TEST_F(SubreaperShimTest, the_services_pid_belongs_to_it_until_nobody_is_left) {
  auto service = start(stranger + "exit 0");
  world.processes.watch_tree(service.tree, world.exits);
  ASSERT_TRUE(world.run_until([&] { return ended(service); }));
  auto zombie = proc::describe(service.tree.leader);
  ASSERT_TRUE(zombie);
  EXPECT_EQ(zombie->state, 'Z');
  kill_and_wait(service);
  world.loop.run_until_idle();
  EXPECT_FALSE(proc::describe(service.tree.leader));
}

TEST_F(SubreaperShimTest, signals_go_to_the_leader_the_group_or_everybody) {
  auto service = start("trap 'exit 3' TERM; (trap '' TERM; exec sleep 1000) & echo up; wait");
  world.processes.watch_tree(service.tree, world.exits);
  EXPECT_EQ(world.processes.survivors(service.tree).size(), 2U);
  EXPECT_TRUE(world.processes.signal(service.tree, SIGTERM, Scope::leader));
  ASSERT_TRUE(world.run_until([&] { return ended(service); }));
  EXPECT_EQ(world.exits.statuses[service.tree.leader].value, 3);
  EXPECT_FALSE(world.processes.signal(service.tree, SIGTERM, Scope::leader));
  EXPECT_FALSE(empty(service));
  EXPECT_TRUE(world.processes.signal(service.tree, SIGKILL, Scope::group));
  EXPECT_TRUE(world.run_until([&] { return empty(service); }));
}

TEST_F(SubreaperShimTest, a_watch_after_the_end_is_answered_in_a_later_turn) {
  auto service = start("echo $PPID");
  const pid_t shim = std::stoi(service.line);
  ASSERT_TRUE(world.run_until([&] { return ended(service) && !proc::describe(shim); }));
  world.processes.watch_tree(service.tree, world.exits);
  EXPECT_FALSE(empty(service));
  world.loop.run_until_idle();
  EXPECT_TRUE(empty(service));
}

TEST_F(SubreaperShimTest, a_condemned_tree_that_goes_on_forking_ends_all_the_same) {
  auto service = start(
      "echo up; hop='[ $1 -gt 0 ] && setsid sh -c \"$2\" x $(($1-1)) \"$2\" &'; "
      "setsid sh -c \"$hop\" x 400 \"$hop\" & wait");
  kill_and_wait(service);
}

TEST_F(SubreaperShimTest, a_keeper_that_is_killed_takes_the_service_along_and_the_rest_is_still_attributed) {
  auto service = start("(setsid sh -c 'echo up; exec sleep 1000' &); exec sleep 1000");
  world.processes.watch_tree(service.tree, world.exits);
  ::kill(parent_of(service.tree.leader), SIGKILL);
  ASSERT_TRUE(world.run_until([&] { return ended(service); }));
  EXPECT_EQ(world.exits.statuses[service.tree.leader], (ExitStatus{.signaled = true, .value = SIGKILL}));
  EXPECT_TRUE(world.run_until([&] { return world.processes.survivors(service.tree).size() == 1; }));
  EXPECT_FALSE(empty(service));
  kill_and_wait(service);
}

TEST_F(SubreaperShimTest, a_service_dies_with_belfry_to_the_last_stranger_unless_it_is_to_be_kept) {
  for (bool dies : {true, false}) {
    Capture held, told;
    const pid_t belfry = ::fork();
    if (belfry == 0) {
      Spawner spawner(Syscalls::real());
      Launch launch =
          shell("(env -i setsid /bin/sh -c 'echo $$; exec /bin/sleep 1000' &); exec sleep 1000", &held);
      launch.die_with_belfry = dies;
      launch.isolate = true;
      SpawnedShim shim;
      bool good = spawner.spawn(launch, &shim).has_value();
      std::string line = held.read_line() + " " + std::to_string(shim.pid) + "\n";
      good = good && ::write(told.writer(), line.data(), line.size()) > 0;
      ::_exit(good ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(belfry, &status, 0), belfry);
    EXPECT_EQ(status, 0);
    std::istringstream words(told.read_all());
    pid_t fled = 0, shim = 0;
    words >> fled >> shim;
    if (!dies) {
      EXPECT_EQ(::kill(fled, 0), 0);
      // The shim goes on, and goes when those it keeps are gone.
      for (auto left = proc::children_of(shim); !left.empty(); left = proc::children_of(shim)) {
        for (const pid_t pid : proc::descendants_of(left)) ::kill(pid, SIGKILL);
        ::sched_yield();
      }
    }
    EXPECT_EQ(held.read_all(), "");  // the pipe ends with its last holder
  }
}

}  // namespace
}  // namespace belfry::system
