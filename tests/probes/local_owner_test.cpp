#include "probes/local_owner.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probes/kinds.hpp"
#include "probes/net/resolver.hpp"
#include "system/proc.hpp"
#include "tests/probes/rig.hpp"
#include "tests/system/fixture.hpp"

namespace belfry::probes {
namespace {

using system::Launch;
using system::TreeId;
using test::answer;
using test::Capture;
using test::LocalSocket;
using test::shell;
using test::World;

struct LocalOwnerTest : testing::Test {
  // A process that has the socket open, if any, under this marker.
  TreeId process(const char* marker, const LocalSocket* socket = nullptr) {
    Capture output;
    Launch launch = shell("echo up; exec sleep 1000", &output);
    launch.set_marker(marker);
    if (socket != nullptr) launch.descriptors = {{socket->fd(), 3}};
    TreeId tree{world.spawn(launch), marker, 0};
    EXPECT_EQ(output.read_line(), "up");
    started.push_back(tree);
    return tree;
  }
  std::string ask(const LocalSocket& socket, TreeId tree, bool any = false, TimePoint began = Clock::now()) {
    config::Probe spec;
    spec.target = socket.text();
    spec.any_owner = any;
    auto made = make_tcp(kernel.net(resolver), spec,
                         {.service = "api", .tree = tree, .launch = nullptr, .monitor = {}, .began = began});
    return answer(world.loop, **made);
  }
  ~LocalOwnerTest() override {
    for (const TreeId& tree : started) {
      world.processes.watch_tree(tree, world.exits);
      world.processes.signal(tree, SIGKILL, system::Scope::tree);
      EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(tree.leader); }));
    }
  }
  World world;
  Resolver resolver{world.loop};
  test::Kernel kernel{world.loop};
  std::vector<TreeId> started;
};

TEST_F(LocalOwnerTest, the_service_s_own_listener_is_right) {
  LocalSocket socket;
  const TreeId tree = process("t/api#1", &socket);
  socket.close();
  EXPECT_EQ(ask(socket, tree), "");
}

TEST_F(LocalOwnerTest, an_older_stranger_on_the_port_is_refused_and_named) {
  LocalSocket ours;  // the test's own, and the test is older than the run
  const TreeId tree = process("t/api#1");
  EXPECT_EQ(ask(ours, tree), "port " + std::to_string(ours.port()) + " is held by pid " +
                                 std::to_string(::getpid()) + " " + system::proc::describe(::getpid())->name +
                                 ", not by this service; `owner: any` beside the probe lets it count");
}

TEST_F(LocalOwnerTest, where_any_owner_may_and_for_an_external_the_stranger_is_right) {
  LocalSocket ours;
  EXPECT_EQ(ask(ours, process("t/api#1"), true), "");
  EXPECT_EQ(ask(ours, TreeId{}), "");
}

TEST_F(LocalOwnerTest, a_younger_process_counts_as_what_the_service_started) {
  LocalSocket socket;
  const TimePoint began = Clock::now();
  const TreeId tree = process("t/api#1");
  process("t/proxy#1", &socket);
  socket.close();
  EXPECT_EQ(ask(socket, tree, false, began), "");
  EXPECT_NE(ask(socket, tree, false, Clock::now() + std::chrono::hours(1)), "");
}

TEST_F(LocalOwnerTest, of_a_socket_that_an_old_and_a_young_process_have_the_old_one_counts) {
  LocalSocket ours;
  const TimePoint began = Clock::now();
  const TreeId tree = process("t/api#1");
  process("t/worker#1", &ours);
  EXPECT_NE(ask(ours, tree, false, began), "");
}

}  // namespace
}  // namespace belfry::probes
