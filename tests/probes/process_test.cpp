// The probes that deal with processes: exec, and port with its question whose socket it is.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "probes/kinds.hpp"
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
using namespace std::chrono_literals;

// --- exec

struct Directory final : LaunchTemplate {
  void prepare(Launch& launch) const override {
    launch.working_dir = "/usr";
    launch.set_environment(system::BaseEnvironment::empty(),
                           std::vector<system::NameValue>{{"PROBED", "yes"}});
  }
};

struct ExecProbeTest : testing::Test {
  std::unique_ptr<Probe> probe(const std::string& script, const LaunchTemplate* as = nullptr) {
    config::Probe spec;
    spec.command = {"/bin/sh", "-c", script};
    auto made = make_exec(world.loop, world.processes, spec, {.service = "api", .tree = {}, .launch = as});
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  World world;
};

TEST_F(ExecProbeTest, exit_zero_is_true) { EXPECT_EQ(answer(world.loop, *probe("exit 0")), ""); }

TEST_F(ExecProbeTest, any_other_end_says_how_it_ended) {
  EXPECT_EQ(answer(world.loop, *probe("exit 3")), "the probe /bin/sh exited with code 3");
  EXPECT_EQ(answer(world.loop, *probe("kill -TERM $$")), "the probe /bin/sh killed by SIGTERM");
}

TEST_F(ExecProbeTest, it_runs_as_the_service_would) {
  Directory as;
  EXPECT_EQ(answer(world.loop, *probe("[ \"$PROBED\" = yes ] && [ \"$PWD\" = /usr ]", &as)), "");
}

TEST_F(ExecProbeTest, a_missing_command_is_named_with_its_stage) {
  config::Probe spec;
  spec.command = {"./no-such-probe"};
  auto made = make_exec(world.loop, world.processes, spec, {});
  EXPECT_EQ(answer(world.loop, **made),
            "cannot run the probe: exec: No such file or directory: ./no-such-probe");
}

TEST_F(ExecProbeTest, a_probe_that_hangs_is_killed_with_its_group_at_the_deadline) {
  Capture output;
  auto hanging = probe("sleep 1000 >&3 & sleep 1000");
  std::string why = answer(world.loop, *hanging, 50ms);
  EXPECT_TRUE(why.ends_with("deadline exceeded")) << why;
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG | __WNOTHREAD) > 0, false);
}

TEST_F(ExecProbeTest, a_cancelled_probe_leaves_no_process) {
  auto hanging = probe("exec sleep 1000");
  Outcome outcome = test::ask_and_cancel(world.loop, *hanging);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind(), Error::Kind::cancelled);
}

TEST_F(ExecProbeTest, an_empty_command_is_refused_when_it_is_made) {
  EXPECT_FALSE(make_exec(world.loop, world.processes, {}, {}));
}

// --- port

struct PortProbeTest : testing::Test {
  // A service that holds the socket, as if it had opened it.
  TreeId service_with(LocalSocket& socket, const std::string& script) {
    Capture output;
    Launch launch = shell(script, &output);
    launch.set_marker("t/api#1");
    launch.descriptors = {{socket.fd(), 3}};
    TreeId tree{world.spawn(launch), "t/api#1", 0};
    EXPECT_EQ(output.read_line(), "up");
    started.push_back(tree);
    return tree;
  }
  std::string ask(const LocalSocket& socket, TreeId tree, bool udp = false) {
    config::Probe spec;
    spec.port = socket.port();
    spec.udp = udp;
    auto made = make_port(spec, {.service = "api", .tree = tree, .launch = nullptr});
    return answer(world.loop, **made);
  }
  ~PortProbeTest() override {
    for (const TreeId& tree : started) {
      world.processes.watch_tree(tree, world.exits);
      world.processes.signal(tree, SIGKILL, system::Scope::tree);
      EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(tree.leader); }));
    }
  }
  World world;
  std::vector<TreeId> started;
};

TEST_F(PortProbeTest, nobody_listens) {
  LocalSocket bound(SOCK_STREAM, false, false);
  EXPECT_EQ(ask(bound, TreeId{1, {}, 0}), "nobody listens on port " + std::to_string(bound.port()));
}

TEST_F(PortProbeTest, the_service_itself_listens) {
  for (bool v6 : {false, true}) {
    LocalSocket socket(SOCK_STREAM, v6);
    TreeId tree = service_with(socket, "echo up; exec sleep 1000");
    socket.close();
    EXPECT_EQ(ask(socket, tree), "");
  }
}

TEST_F(PortProbeTest, a_grandchild_in_a_session_of_its_own_counts) {
  LocalSocket socket;
  TreeId tree = service_with(socket, "setsid sh -c 'echo up; exec sleep 1000' & exec 3>&-; wait");
  socket.close();
  EXPECT_EQ(ask(socket, tree), "");
}

TEST_F(PortProbeTest, a_service_that_daemonised_counts) {
  LocalSocket socket;
  TreeId tree = service_with(socket, "(setsid sh -c 'echo up; exec sleep 1000' &)");
  socket.close();
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.contains(tree.leader); }));
  EXPECT_EQ(ask(socket, tree), "");
}

TEST_F(PortProbeTest, a_foreign_process_on_the_port_does_not_count) {
  LocalSocket ours;  // the test's own
  LocalSocket other;
  TreeId tree = service_with(other, "echo up; exec sleep 1000");
  EXPECT_EQ(ask(ours, tree),
            "another process listens on port " + std::to_string(ours.port()) + " (ss -ltnp shows which)");
}

TEST_F(PortProbeTest, for_an_external_anybody_counts) {
  LocalSocket socket;
  EXPECT_EQ(ask(socket, TreeId{}), "");
}

TEST_F(PortProbeTest, udp_is_asked_for_by_name) {
  LocalSocket socket(SOCK_DGRAM);
  TreeId tree = service_with(socket, "echo up; exec sleep 1000");
  socket.close();
  EXPECT_EQ(ask(socket, tree, true), "");
  EXPECT_NE(ask(socket, tree, false), "");
}

TEST_F(PortProbeTest, a_connection_on_the_port_is_no_listener) {
  LocalSocket server;
  LocalSocket client(SOCK_STREAM, false, false);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(server.port());
  ASSERT_EQ(::connect(client.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(ask(client, TreeId{}), "nobody listens on port " + std::to_string(client.port()));
}

// --- factory

TEST(Factory, makes_what_is_asked_and_refuses_what_is_not_built) {
  World world;
  NativeFactory factory(world.loop, world.processes);
  config::Probe spec;
  spec.kind = config::Probe::Kind::tcp;
  spec.target = "127.0.0.1:1";
  EXPECT_TRUE(factory.make(spec, {}));
  spec.kind = config::Probe::Kind::grpc;
  auto refused = factory.make(spec, {.service = "api", .tree = {}, .launch = nullptr});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), Error::Kind::invalid);
}

TEST(Factory, knows_which_kinds_are_events) {
  using Kind = config::Probe::Kind;
  for (Kind kind : {Kind::notify, Kind::fd, Kind::log, Kind::listen}) EXPECT_TRUE(is_event(kind));
  for (Kind kind : {Kind::tcp, Kind::http, Kind::exec, Kind::port}) EXPECT_FALSE(is_event(kind));
}

}  // namespace
}  // namespace belfry::probes
