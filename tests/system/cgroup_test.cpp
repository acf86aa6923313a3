#include "system/cgroup.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "system/cgroup_files.hpp"
#include "system/cgroup_place.hpp"
#include "tests/system/fixture.hpp"

namespace belfry::system {
namespace {

using test::Capture;
using test::shell;
using test::World;

// --- where belfry is

constexpr std::string_view unified = "41 31 0:38 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";

TEST(CgroupPlace, a_unified_host_has_it_below_sys_fs_cgroup) {
  EXPECT_EQ(cgroup::directory_from("0::/system.slice/belfry.service\n", unified),
            "/sys/fs/cgroup/system.slice/belfry.service");
  EXPECT_EQ(cgroup::directory_from("0::/\n", unified), "/sys/fs/cgroup");
}

TEST(CgroupPlace, a_hybrid_host_has_it_beside_the_old_hierarchies) {
  constexpr std::string_view mounts =
      "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
      "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime shared:7 - cgroup cgroup rw,pids\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(cgroup::directory_from("8:pids:/other\n0::/job/1\n", mounts), "/sys/fs/cgroup/unified/job/1");
}

TEST(CgroupPlace, a_part_of_the_tree_may_be_mounted_anywhere) {
  constexpr std::string_view part = "41 31 0:38 /machine/a /mnt/my\\040cg rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(cgroup::directory_from("0::/machine/a/x\n", part), "/mnt/my cg/x");
  EXPECT_EQ(cgroup::directory_from("0::/machine/a\n", part), "/mnt/my cg");
  EXPECT_EQ(cgroup::directory_from("0::/machine/ab\n", part), std::nullopt);
}

TEST(CgroupPlace, without_v2_or_outside_of_it_there_is_none) {
  EXPECT_EQ(cgroup::directory_from("8:pids:/\n", unified), std::nullopt);
  EXPECT_EQ(cgroup::directory_from("0::/\n", "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"),
            std::nullopt);
  EXPECT_EQ(cgroup::directory_from("0::/../other\n", unified), std::nullopt);
  EXPECT_EQ(cgroup::directory_from("0::/gone (deleted)\n", unified), std::nullopt);
}

// --- what limits can be had, as far as can be seen

TEST(CgroupLimits, what_is_in_the_way_is_seen_without_making_anything) {
  std::string own = (std::filesystem::temp_directory_path() / "belfry-cgroup-XXXXXX").string();
  ASSERT_NE(::mkdtemp(own.data()), nullptr);
  CgroupLimits some, memory;
  some.cpu_max = 1.5;
  some.pids_max = 10;
  memory.memory_max = 1;
  std::ofstream(own + "/cgroup.controllers") << "cpu pids\n";
  EXPECT_EQ(cgroup::why_no_limits(own, some), "");
  EXPECT_EQ(cgroup::why_no_limits(own, memory),
            "the memory controller is not available in the cgroup " + own);
  std::filesystem::rename(own, own + ".service");
  EXPECT_EQ(cgroup::why_no_limits(own + ".service", some),
            "cannot use the cgroup " + own + ".service: it is systemd's (say Delegate=yes)");
  std::filesystem::remove_all(own + ".service");
  EXPECT_EQ(cgroup::why_no_limits(own, some), "belfry may make no cgroup in " + own);
}

// --- what the kernel counts in a leaf, whatever directory that is

TEST(CgroupEvents, who_was_killed_for_lack_of_memory_since_the_last_question_is_counted) {
  std::string own = (std::filesystem::temp_directory_path() / "belfry-cgroup-XXXXXX").string();
  ASSERT_NE(::mkdtemp(own.data()), nullptr);
  const auto counted = [&own](int kills) {
    std::ofstream(own + "/memory.events")
        << "low 0\nhigh 0\nmax 70\noom 9\noom_kill " << kills << "\noom_group_kill 8\n";
  };
  counted(2);
  CgroupLeaf leaf(own);
  EXPECT_EQ(leaf.take_oom_kills(), 0U) << "those of an earlier run";
  counted(5);
  EXPECT_EQ(leaf.take_oom_kills(), 3U);
  EXPECT_EQ(leaf.take_oom_kills(), 0U);
  std::filesystem::remove_all(own);
}

// --- leaves, in the kernel's own tree

class Cgroups : public testing::Test {
 protected:
  void SetUp() override {
    auto own = cgroup::own_directory();
    auto opened = own ? CgroupTree::open(*own, "test")
                      : std::unexpected(Error(Error::Kind::refused, "there is no cgroup v2 here"));
    if (!opened) GTEST_SKIP() << opened.error().text();
    tree = std::move(*opened);
  }
  std::unique_ptr<CgroupLeaf> leaf(std::string_view name) {
    auto made = tree->make_leaf(name);
    EXPECT_TRUE(made) << made.error().text();
    return std::move(*made);
  }
  static bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

  std::unique_ptr<CgroupTree> tree;
};

TEST_F(Cgroups, a_leaf_is_a_directory_for_as_long_as_it_lives) {
  auto one = leaf("one");
  const std::string path = one->directory();
  EXPECT_TRUE(exists(path));
  EXPECT_FALSE(one->is_populated());
  one.reset();
  EXPECT_FALSE(exists(path));
  const std::string top = tree->directory();
  tree.reset();
  EXPECT_FALSE(exists(top));
}

TEST_F(Cgroups, a_service_may_be_named_like_a_file_of_the_kernels) {
  auto odd = leaf("cgroup.procs");
  EXPECT_TRUE(odd->descriptor());
}

TEST_F(Cgroups, what_a_killed_belfry_left_behind_is_removed) {
  const std::string own = *cgroup::own_directory();
  const std::string stale = own + "/belfry-test-99999999";
  ASSERT_EQ(::mkdir(stale.c_str(), 0755), 0);
  ASSERT_EQ(::mkdir((stale + "/service-a").c_str(), 0755), 0);
  auto next = CgroupTree::open(own, "test");
  EXPECT_FALSE(exists(stale));
}

TEST_F(Cgroups, a_unit_that_systemd_keeps_to_itself_is_left_alone) {
  const std::string unit = tree->directory() + "/kept.service";
  ASSERT_EQ(::mkdir(unit.c_str(), 0755), 0);
  auto refused = CgroupTree::open(unit, "test");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().text().contains("Delegate=yes")) << refused.error().text();
  EXPECT_TRUE(cgroup::names_below(unit).empty());
}

TEST_F(Cgroups, a_controller_that_is_not_there_is_named) {
  auto own = tree->enable({.memory_max = 1 << 20, .cpu_max = {}, .pids_max = {}});
  if (own) GTEST_SKIP() << "the memory controller is here";
  EXPECT_TRUE(own.error().text().contains("memory controller is not available")) << own.error().text();
  auto one = leaf("one");
  auto limited = one->limit({.memory_max = {}, .cpu_max = {}, .pids_max = 5});
  ASSERT_FALSE(limited);
  EXPECT_TRUE(limited.error().text().contains("cannot set pids.max to 5")) << limited.error().text();
}

// --- processes in them

class CgroupTrees : public Cgroups {
 protected:
  struct Service {
    TreeId tree;
    std::string line;
  };
  Service start(World& world, CgroupLeaf& in, const std::string& script) {
    Capture output;
    Launch launch = shell(script, &output);
    launch.cgroup = in.descriptor().value_or(-1);
    Service service;
    service.tree = TreeId{world.spawn(launch), "", 0, in.directory()};
    output.close_writer();
    service.line = output.read_line();
    return service;
  }
};

TEST_F(CgroupTrees, a_child_is_in_its_leaf_from_its_first_instruction) {
  for (int error : {0, ENOSYS, EPERM}) {
    World world;
    auto one = leaf("one");
    world.kernel.clone_into_errors = {error};  // where clone3 is forbidden, the child moves itself
    auto service = start(world, *one, "grep ^0:: /proc/self/cgroup; sleep 1000");
    EXPECT_TRUE(service.line.ends_with("/service-one")) << service.line;
    EXPECT_TRUE(one->is_populated());
    world.processes.watch_tree(service.tree, world.exits);
    EXPECT_TRUE(world.processes.signal(service.tree, SIGKILL, Scope::tree));
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
    EXPECT_FALSE(one->is_populated());
  }
}

TEST_F(CgroupTrees, a_leaf_that_is_gone_is_a_stage_of_its_own) {
  World world;
  auto one = leaf("one");
  Launch launch = shell("true");
  launch.cgroup = one->descriptor().value_or(-1);
  cgroup::remove(one->directory());
  auto refused = world.processes.spawn(launch, world.exits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().stage, SpawnStage::cgroup);
}

// No session, no environment, no pipe and no parent in common with its service: nothing but the leaf knows.
constexpr const char* stranger =
    "(env -i setsid /bin/sh -c 'echo $$; exec /bin/sleep 1000 >/dev/null 2>&1' &); exit 0";

TEST_F(CgroupTrees, what_erased_every_trace_still_keeps_its_tree_alive_and_is_killed) {
  World world;
  auto one = leaf("one");
  auto service = start(world, *one, stranger);
  const pid_t fled = std::stoi(service.line);
  world.processes.watch_tree(service.tree, world.exits);
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.contains(service.tree.leader); }));
  world.loop.run_until_idle();
  EXPECT_TRUE(world.exits.empty.empty());
  auto left = world.processes.survivors(service.tree);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].pid, fled);
  EXPECT_TRUE(world.processes.signal(service.tree, SIGTERM, Scope::tree));
  EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
  EXPECT_FALSE(one->is_populated());
}

TEST_F(CgroupTrees, two_that_daemonise_without_a_trace_are_kept_apart) {
  World world;
  auto one = leaf("one");
  auto two = leaf("two");
  auto a = start(world, *one, stranger);
  auto b = start(world, *two, stranger);
  world.processes.watch_tree(a.tree, world.exits);
  world.processes.watch_tree(b.tree, world.exits);
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.size() == 2; }));
  world.processes.signal(a.tree, SIGKILL, Scope::tree);
  EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(a.tree.leader); }));
  EXPECT_FALSE(world.exits.tree_empty(b.tree.leader));
  ASSERT_EQ(world.processes.survivors(b.tree).size(), 1U);
  world.processes.signal(b.tree, SIGKILL, Scope::tree);
  EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(b.tree.leader); }));
}

TEST_F(CgroupTrees, a_process_that_somebody_moved_in_is_waited_for_though_it_is_no_child) {
  World world;
  auto one = leaf("one");
  auto service = start(world, *one, "echo up");
  Capture lead;
  Launch launch = shell("sleep 1000 & echo $!; exec sleep 1000", &lead);  // the sleep's parent lives on
  const pid_t parent = world.spawn(launch);
  const std::string moved = lead.read_line();
  ASSERT_EQ(cgroup::write_control(one->directory(), "cgroup.procs", moved), 0);
  world.processes.watch_tree(service.tree, world.exits);
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.contains(service.tree.leader); }));
  world.loop.run_until_idle();
  EXPECT_FALSE(world.exits.tree_empty(service.tree.leader));
  ::kill(std::stoi(moved), SIGKILL);  // its parent does not reap it, so nobody tells us but the cgroup
  EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
  world.processes.signal(TreeId{parent, "", 0}, SIGKILL, Scope::tree);
  EXPECT_TRUE(world.run_until([&] { return world.exits.statuses.contains(parent); }));
}

TEST_F(CgroupTrees, a_fork_tree_is_killed_by_one_call_where_the_kernel_has_it) {
  World world;
  auto one = leaf("one");
  auto service =
      start(world, *one,
            "for i in 1 2 3 4 5 6 7 8; do (for j in 1 2 3 4 5 6; do setsid sleep 1000 & done; wait) & "
            "done; echo up; wait");
  while (cgroup::pids_in(one->directory()).size() < 57) ::sched_yield();
  world.processes.watch_tree(service.tree, world.exits);
  world.processes.signal(service.tree, SIGKILL, Scope::tree);
  EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
  EXPECT_TRUE(cgroup::pids_in(one->directory()).empty());
}

}  // namespace
}  // namespace belfry::system
