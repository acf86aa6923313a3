#include "system/process_trees.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "system/orphan_thread.hpp"
#include "system/proc.hpp"
#include "tests/system/fixture.hpp"

namespace belfry::system {
namespace {

using test::Capture;
using test::shell;
using test::World;

// Every test runs twice: with the loop on the first thread, where the list of children holds everybody,
// and beside an orphan_thread, where it holds the orphans alone.
class ProcessTrees : public testing::TestWithParam<bool> {
 protected:
  SignalBlock block;  // for the first thread, too: it must not eat SIGCHLD

  template <class Body>
  void in_a_world(Body body) {
    auto run = [&] {
      World world;
      body(world);
      return 0;
    };
    if (GetParam()) {
      run_beside_orphan_thread(run);
    } else {
      run();
    }
  }

  // Starts the script as a service "t/<name>#1"; it must print one line when everything is in place.
  struct Service {
    TreeId tree;
    std::string line;
  };
  Service start(World& world, const std::string& script, const char* marker = "t/a#1",
                bool session_of_its_own = true) {
    Capture output;
    Launch launch = shell(script, &output);
    launch.set_marker(marker);
    launch.new_session = session_of_its_own;
    Service service;
    service.tree = TreeId{world.spawn(launch), marker, output.inode()};
    output.close_writer();
    service.line = output.read_line();
    return service;
  }
  static bool ended(World& world, const Service& service) {
    return world.exits.statuses.contains(service.tree.leader);
  }
};
INSTANTIATE_TEST_SUITE_P(Threads, ProcessTrees, testing::Bool(),
                         [](const auto& info) { return info.param ? "beside_orphan_thread" : "alone"; });

TEST_P(ProcessTrees, a_single_process_leaves_an_empty_tree) {
  in_a_world([&](World& world) {
    auto service = start(world, "echo up");
    world.processes.watch_tree(service.tree, world.exits);
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
    EXPECT_TRUE(ended(world, service));
    EXPECT_FALSE(world.processes.tree_alive(service.tree));
  });
}

TEST_P(ProcessTrees, a_watch_after_the_end_is_answered_in_a_later_turn) {
  in_a_world([&](World& world) {
    auto service = start(world, "echo up");
    ASSERT_TRUE(world.run_until([&] { return ended(world, service); }));
    world.processes.watch_tree(service.tree, world.exits);
    EXPECT_TRUE(world.exits.empty.empty());
    world.loop.run_until_idle();
    EXPECT_TRUE(world.exits.tree_empty(service.tree.leader));
  });
}

TEST_P(ProcessTrees, a_watch_that_was_taken_out_is_silent) {
  in_a_world([&](World& world) {
    auto service = start(world, "echo up");
    world.processes.watch_tree(service.tree, world.exits);
    world.processes.unwatch_tree(world.exits);
    ASSERT_TRUE(world.run_until([&] { return ended(world, service); }));
    world.loop.run_until_idle();
    EXPECT_TRUE(world.exits.empty.empty());
  });
}

// What keeps a tree alive after its leader, and how it is found again. Until it has exec'd it is still the
// shell that forked it, with the environment and the output of that.
struct Runaway {
  const char* how;
  const char* script;
};
const Runaway runaways[] = {
    {"in the group", "sleep 1000 & echo up"},
    {"in its session, another group", "exec bash -c 'set -m; sleep 1000 & echo up'"},
    {"in its session, and nothing else tells of it",
     "exec bash -c 'set -m; env -i /bin/sleep 1000 >/dev/null 2>&1 & "
     "until [ \"$(cat /proc/$!/comm)\" = sleep ]; do :; done; echo up'"},
    {"in a session of its own", "setsid sh -c 'echo up; exec sleep 1000' & exit 0"},
    {"double-forked, setsid", "(setsid sh -c 'echo up; exec sleep 1000' &)"},
    {"double-forked, environment erased", "(env -i setsid /bin/sh -c 'echo up; exec /bin/sleep 1000' &)"},
    {"double-forked, output elsewhere",
     "(setsid sleep 1000 >/dev/null 2>&1 & until [ \"$(cat /proc/$!/comm)\" = sleep ]; do :; done); echo up"},
};

TEST_P(ProcessTrees, whatever_is_left_keeps_the_tree_alive_until_it_is_killed) {
  for (const Runaway& runaway : runaways) {
    SCOPED_TRACE(runaway.how);
    in_a_world([&](World& world) {
      auto service = start(world, runaway.script);
      EXPECT_EQ(service.line, "up");
      world.processes.watch_tree(service.tree, world.exits);
      ASSERT_TRUE(world.run_until([&] { return ended(world, service); }));
      world.loop.run_until_idle();
      EXPECT_TRUE(world.exits.empty.empty());
      EXPECT_TRUE(world.processes.tree_alive(service.tree));
      // Who is just calling execve is known a moment later.
      EXPECT_TRUE(world.run_until([&] { return !world.processes.survivors(service.tree).empty(); }));
      EXPECT_TRUE(world.processes.signal(service.tree, SIGKILL, Scope::tree));
      EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
      EXPECT_TRUE(world.processes.survivors(service.tree).empty());
    });
  }
}

TEST_P(ProcessTrees, who_is_in_belfrys_session_as_the_command_of_exec_is_known_by_its_group) {
  in_a_world([&](World& world) {
    auto service = start(world,
                         "env -i /bin/sleep 1000 >/dev/null 2>&1 & "
                         "until [ \"$(cat /proc/$!/comm)\" = sleep ]; do :; done; echo up",
                         "t/a#1", false);
    world.processes.watch_tree(service.tree, world.exits);
    ASSERT_TRUE(world.run_until([&] { return ended(world, service); }));
    world.loop.run_until_idle();
    EXPECT_TRUE(world.exits.empty.empty());
    EXPECT_EQ(world.processes.survivors(service.tree).size(), 1U);
    EXPECT_TRUE(world.processes.signal(service.tree, SIGTERM, Scope::tree));
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
  });
}

TEST_P(ProcessTrees, a_group_outlives_its_leader_and_still_hears_sigterm) {
  in_a_world([&](World& world) {
    auto service = start(world, "sleep 1000 & sleep 1000 & echo up");
    world.processes.watch_tree(service.tree, world.exits);
    ASSERT_TRUE(world.run_until([&] { return ended(world, service); }));
    EXPECT_TRUE(world.processes.signal(service.tree, SIGTERM, Scope::group));
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
    EXPECT_FALSE(world.processes.signal(service.tree, SIGTERM, Scope::group));
  });
}

TEST_P(ProcessTrees, sigterm_ignored_by_all_ends_with_sigkill) {
  in_a_world([&](World& world) {
    auto service = start(world, "trap '' TERM; sleep 1000 & sleep 1000 & echo up; wait");
    world.processes.watch_tree(service.tree, world.exits);
    world.processes.signal(service.tree, SIGTERM, Scope::tree);
    world.loop.run_until_idle();
    EXPECT_FALSE(ended(world, service));
    EXPECT_EQ(world.processes.survivors(service.tree).size(), 3U);
    world.processes.signal(service.tree, SIGKILL, Scope::tree);
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
    EXPECT_EQ(world.exits.statuses[service.tree.leader].value, SIGKILL);
  });
}

TEST_P(ProcessTrees, a_child_in_another_session_is_killed_with_its_living_leader) {
  in_a_world([&](World& world) {
    // no marker, no pipe, no common session: only ancestry says whose it is
    auto service = start(world,
                         "env -i setsid /bin/sleep 1000 >/dev/null 2>&1 </dev/null & "
                         "until [ \"$(cat /proc/$!/comm)\" = sleep ]; do :; done; echo up; wait");
    EXPECT_EQ(world.processes.survivors(service.tree).size(), 2U);
    world.processes.watch_tree(service.tree, world.exits);
    world.processes.signal(service.tree, SIGKILL, Scope::tree);
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
    world.loop.run_until_idle();
    EXPECT_TRUE(world.processes.survivors(service.tree).empty());
  });
}

TEST_P(ProcessTrees, stopped_processes_hear_sigterm_and_go) {
  in_a_world([&](World& world) {
    auto service = start(world, "sleep 1000 & echo up; wait");
    world.processes.watch_tree(service.tree, world.exits);
    world.processes.signal(service.tree, SIGSTOP, Scope::tree);
    world.processes.signal(service.tree, SIGTERM, Scope::tree);
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
  });
}

TEST_P(ProcessTrees, a_fork_tree_of_many_generations_is_killed_whole) {
  in_a_world([&](World& world) {
    auto service = start(
        world,
        "grow() { [ $1 -eq 0 ] && exec sleep 1000; grow $(($1-1)) & setsid sh -c 'sleep 1000' & wait; };"
        "for i in 1 2 3 4 5; do grow 5 & done; sleep 0.3; echo up; wait");
    world.processes.watch_tree(service.tree, world.exits);
    EXPECT_GT(world.processes.survivors(service.tree).size(), 30U);
    world.processes.signal(service.tree, SIGKILL, Scope::tree);
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
    EXPECT_FALSE(world.processes.tree_alive(service.tree));
  });
}

TEST_P(ProcessTrees, a_condemned_tree_that_goes_on_forking_ends_all_the_same) {
  in_a_world([&](World& world) {
    // each generation starts the next in a session of its own and ends
    auto service = start(world,
                         "cat > /dev/null < /dev/null; echo up; "
                         "hop='[ $1 -gt 0 ] && setsid sh -c \"$2\" x $(($1-1)) \"$2\" &'; "
                         "setsid sh -c \"$hop\" x 400 \"$hop\" & wait");
    world.processes.watch_tree(service.tree, world.exits);
    world.processes.signal(service.tree, SIGKILL, Scope::tree);
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
  });
}

// How it is divided is the matter of tree_signal_test.cpp.
TEST_P(ProcessTrees, a_crowd_is_killed_in_the_turns_that_follow) {
  in_a_world([&](World& world) {
    // Each waits for the pipe of the first, without a program of its own.
    auto service = start(world, "sleep 1000 | { exec 3<&0; i=0; while [ $i -lt " +
                                    std::to_string(TreeSignal::piece + 44) +
                                    " ]; do (read -r line <&3) & i=$((i + 1)); done; echo up; wait; }");
    world.processes.watch_tree(service.tree, world.exits);
    EXPECT_TRUE(world.processes.signal(service.tree, SIGKILL, Scope::tree));
    EXPECT_EQ(world.processes.survivors(service.tree).size(), proc::most_survivors);
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
    EXPECT_FALSE(world.processes.tree_alive(service.tree));
  });
}

TEST_P(ProcessTrees, two_services_that_daemonise_side_by_side_are_kept_apart) {
  in_a_world([&](World& world) {
    const char* script = "(setsid sh -c 'echo up; exec sleep 1000' &)";
    auto a = start(world, script, "t/a#1");
    auto b = start(world, script, "t/b#1");
    world.processes.watch_tree(a.tree, world.exits);
    world.processes.watch_tree(b.tree, world.exits);
    ASSERT_TRUE(world.run_until([&] { return ended(world, a) && ended(world, b); }));
    world.processes.signal(a.tree, SIGKILL, Scope::tree);
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(a.tree.leader); }));
    EXPECT_TRUE(world.processes.tree_alive(b.tree));
    EXPECT_FALSE(world.exits.tree_empty(b.tree.leader));
    world.processes.signal(b.tree, SIGKILL, Scope::tree);
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(b.tree.leader); }));
  });
}

TEST_P(ProcessTrees, an_orphan_of_a_living_service_does_not_hold_up_another) {
  in_a_world([&](World& world) {
    auto daemonised = start(world, "(setsid sh -c 'echo up; exec sleep 1000' &) ; exec sleep 1000", "t/a#1");
    auto simple = start(world, "echo up", "t/b#1");
    world.processes.watch_tree(simple.tree, world.exits);
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(simple.tree.leader); }));
    world.processes.watch_tree(daemonised.tree, world.exits);
    world.processes.signal(daemonised.tree, SIGKILL, Scope::tree);
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(daemonised.tree.leader); }));
  });
}

TEST_P(ProcessTrees, survivors_are_named) {
  in_a_world([&](World& world) {
    auto service = start(world, "echo up; kill -STOP $$");
    siginfo_t stopped{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(service.tree.leader), &stopped, WSTOPPED | WNOWAIT), 0);
    auto left = world.processes.survivors(service.tree);
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left[0].pid, service.tree.leader);
    EXPECT_EQ(left[0].name, "sh");
    EXPECT_EQ(left[0].state, 'T');
    world.processes.watch_tree(service.tree, world.exits);
    world.processes.signal(service.tree, SIGKILL, Scope::tree);
    EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(service.tree.leader); }));
  });
}

}  // namespace
}  // namespace belfry::system
