// The probes that deal with processes: exec, and port with its question whose socket it is.
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <signal.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "probes/kinds.hpp"
#include "probes/listen_monitor/listen_probe.hpp"
#include "system/proc.hpp"
#include "system/sock_diag.hpp"
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
  void configure(Launch& launch) const override {
    launch.working_dir = "/usr";
    launch.set_environment(system::BaseEnvironment::empty(),
                           std::vector<system::NameValue>{{"PROBED", "yes"}});
  }
};

struct ExecProbeTest : testing::Test {
  std::unique_ptr<Probe> probe(const std::string& script, const LaunchTemplate* as = nullptr) {
    config::Probe spec;
    spec.command = config::Command{"/bin/sh", "-c", script};
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

TEST_F(ExecProbeTest, what_it_said_last_is_the_reason) {
  EXPECT_EQ(answer(world.loop, *probe("echo out; echo 'no route to db' >&2; echo; exit 3")),
            "the probe /bin/sh exited with code 3: no route to db");
  EXPECT_EQ(answer(world.loop, *probe("printf 'half a line'; exit 3")),
            "the probe /bin/sh exited with code 3: half a line");
  EXPECT_EQ(answer(world.loop, *probe("printf '  \\n \\n'; exit 3")), "the probe /bin/sh exited with code 3");
}

TEST_F(ExecProbeTest, what_it_says_is_made_fit_for_a_terminal_and_bounded) {
  const std::string why = answer(world.loop, *probe("printf '\\033]0;title\\007'; printf %01000d 1; exit 3"));
  EXPECT_EQ(why.find('\x1b'), std::string::npos);
  EXPECT_LT(why.size(), 300U);
}

TEST_F(ExecProbeTest, a_flood_is_read_to_its_end_and_only_its_end_is_kept) {
  EXPECT_EQ(answer(world.loop, *probe("head -c 5000000 /dev/zero | tr '\\0' x; echo; echo the end; exit 3")),
            "the probe /bin/sh exited with code 3: the end");
}

TEST_F(ExecProbeTest, it_writes_nothing_where_belfry_does) {
  Capture output, errors;
  const int kept_output = ::dup(STDOUT_FILENO), kept_errors = ::dup(STDERR_FILENO);
  ::dup2(output.writer(), STDOUT_FILENO);
  ::dup2(errors.writer(), STDERR_FILENO);
  const std::string why = answer(world.loop, *probe("echo out; echo err >&2"));
  ::dup2(kept_output, STDOUT_FILENO);
  ::dup2(kept_errors, STDERR_FILENO);
  ::close(kept_output);
  ::close(kept_errors);
  EXPECT_EQ(why, "");
  EXPECT_EQ(output.read_all() + errors.read_all(), "");
}

TEST_F(ExecProbeTest, its_standard_input_is_empty) {
  EXPECT_EQ(answer(world.loop, *probe("cat; exit 0"), 5s), "");
}

TEST_F(ExecProbeTest, who_holds_its_output_afterwards_holds_up_nobody) {
  config::Probe spec;
  spec.command = config::Command{"/bin/sh", "-c", "sleep 1000 & exit 3"};
  auto made = make_exec(world.loop, world.processes, spec, {});
  const std::string why = answer(world.loop, **made, 10s);
  EXPECT_EQ(why, "the probe /bin/sh exited with code 3");
  for (const pid_t left : system::proc::children_of(::getpid())) {
    if (left > 0) ::kill(left, SIGKILL);
  }
}

TEST_F(ExecProbeTest, a_missing_command_is_named_with_its_stage) {
  config::Probe spec;
  spec.command = config::Command{"./no-such-probe"};
  auto made = make_exec(world.loop, world.processes, spec, {});
  EXPECT_EQ(answer(world.loop, **made),
            "cannot run the probe: exec: No such file or directory: ./no-such-probe");
}

TEST_F(ExecProbeTest, a_probe_that_hangs_is_killed_with_its_group_at_the_deadline) {
  Capture output;
  auto hanging = probe("sleep 1000 >&3 & sleep 1000");
  std::string why = answer(world.loop, *hanging, 50ms);
  EXPECT_TRUE(why.ends_with("deadline exceeded")) << why;
  // Who was left to us as an orphan ends as well, be it a moment later; were it alive, this would not end.
  while (::waitpid(-1, nullptr, __WNOTHREAD) > 0) {
  }
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(ExecProbeTest, a_cancelled_probe_leaves_no_process) {
  auto hanging = probe("exec sleep 1000");
  CheckResult outcome = test::ask_and_cancel(world.loop, *hanging);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind(), Error::Kind::cancelled);
}

// Orphans come to this process, so whoever a probe has left is a child of ours, be it a dead one.
bool nobody_is_left() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

TEST_F(ExecProbeTest, what_a_probe_that_succeeds_puts_into_the_background_ends_with_it) {
  for (const char* script : {"sleep 1000 & exit 0", "(setsid sleep 1000 >/dev/null 2>&1 &); exit 0",
                             "setsid sh -c 'setsid sleep 1000 & wait' & exit 0"}) {
    SCOPED_TRACE(script);
    EXPECT_EQ(answer(world.loop, *probe(script)), "");
    EXPECT_TRUE(nobody_is_left());
  }
}

TEST_F(ExecProbeTest, what_fled_from_a_probe_that_is_killed_is_killed_as_well) {
  auto hanging = probe("setsid sleep 1000 & wait");
  EXPECT_TRUE(answer(world.loop, *hanging, 50ms).ends_with("deadline exceeded"));
  EXPECT_TRUE(nobody_is_left());
}

TEST_F(ExecProbeTest, a_daemon_of_the_probe_is_killed_with_it_at_the_deadline) {
  for (const char* script : {
           "(setsid sh -c 'sleep 1000 & exit' >/dev/null 2>&1 &); echo started; exec sleep 1000",  // double
                                                                                                   // fork
           "trap '' TERM INT HUP; setsid sh -c 'trap \"\" TERM; sleep 1000 & sleep 1000' & echo started; "
           "sleep 1000",
           "(env -i setsid sleep 1000 &); echo started; exec sleep 1000",  // the marker is gone, the pipe is
                                                                           // not
       }) {
    SCOPED_TRACE(script);
    auto hanging = probe(script);
    const std::string why = answer(world.loop, *hanging, 200ms);
    EXPECT_EQ(why, "the probe /bin/sh was killed: started: deadline exceeded");
    EXPECT_TRUE(nobody_is_left());
  }
}

TEST_F(ExecProbeTest, a_flood_without_end_is_cut_off_and_only_its_end_is_kept) {
  auto hanging = probe("exec yes 'a line of a flood'");
  EXPECT_EQ(answer(world.loop, *hanging, 200ms),
            "the probe /bin/sh was killed: a line of a flood: deadline exceeded");
  EXPECT_TRUE(nobody_is_left());
}

// Who forks faster than it is killed one by one is killed all the same.
TEST_F(ExecProbeTest, a_probe_that_forks_without_end_is_killed_to_the_last) {
  auto hanging =
      probe("f() { sleep 1000 & sleep 0.001; (f) & }; for i in 1 2 3 4; do (f) & done; wait; sleep 1000");
  EXPECT_TRUE(answer(world.loop, *hanging, 150ms).ends_with("deadline exceeded"));
  EXPECT_TRUE(nobody_is_left());
}

TEST_F(ExecProbeTest, each_probe_has_a_tree_of_its_own) {
  const std::string path = testing::TempDir() + "belfry-markers-" + std::to_string(::getpid());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(answer(world.loop, *probe("echo $BELFRY_SERVICE >> " + path)), "");
  const std::string markers = system::proc::read_file(path);
  ::unlink(path.c_str());
  const std::size_t end = markers.find('\n');
  EXPECT_TRUE(markers.starts_with("api+probe")) << markers;
  EXPECT_NE(markers.substr(0, end + 1), markers.substr(end + 1));
}

TEST_F(ExecProbeTest, an_empty_command_is_refused_when_it_is_made) {
  EXPECT_FALSE(make_exec(world.loop, world.processes, {}, {}));
}

// --- port

// This process as a message names it: "pid 4711 belfry_probes_t".
std::string myself() {
  return "pid " + std::to_string(::getpid()) + " " + system::proc::describe(::getpid())->name;
}

struct PortProbeTest : testing::Test {
  // A service that holds the socket, as if it had opened it.
  template <class Socket>
  TreeId service_with(Socket& socket, const std::string& script) {
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
    auto made = make_port(kernel.questions(), spec, {.service = "api", .tree = tree, .launch = nullptr});
    return answer(world.loop, **made);
  }
  ~PortProbeTest() override {
    for (const TreeId& tree : started) {
      world.processes.watch_tree(tree, world.exits);
      world.processes.signal(tree, SIGKILL, system::Scope::tree);
      EXPECT_TRUE(world.run_until([&] { return world.exits.tree_empty(tree.leader); }));
    }
  }
  std::string ask_unix(const std::string& path, TreeId tree) {
    config::Probe spec;
    spec.target = path;
    auto made = make_unix(kernel.questions(), spec, {.service = "api", .tree = tree, .launch = nullptr});
    return answer(world.loop, **made);
  }
  World world;
  test::Kernel kernel{world.loop};
  system::SockDiag& diag = kernel.diag;
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
  // No exec after "up": in the middle of one a process has no environment, and a single look would miss it.
  TreeId tree = service_with(socket, "(setsid sh -c 'echo up; sleep 1000; :' &)");
  socket.close();
  ASSERT_TRUE(world.run_until([&] { return world.exits.statuses.contains(tree.leader); }));
  EXPECT_EQ(ask(socket, tree), "");
}

TEST_F(PortProbeTest, a_foreign_process_on_the_port_does_not_count) {
  LocalSocket ours;  // the test's own
  LocalSocket other;
  TreeId tree = service_with(other, "echo up; exec sleep 1000");
  EXPECT_EQ(ask(ours, tree),
            "port " + std::to_string(ours.port()) + " is held by " + myself() + ", not by this service");
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

// The first IPv4 address of this host that is not loopback; 0: there is none.
in_addr_t other_address() {
  in_addr_t found = 0;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return found;
  for (const ifaddrs* at = list; at != nullptr && found == 0; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET) continue;
    in_addr_t address = reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr.s_addr;
    if (ntohl(address) >> 24 != IN_LOOPBACKNET) found = address;
  }
  ::freeifaddrs(list);
  return found;
}

TEST_F(PortProbeTest, a_listener_on_another_address_of_this_host_counts) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = other_address();
  if (address.sin_addr.s_addr == 0) GTEST_SKIP() << "this host has loopback only";
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(fd, 4), 0);
  socklen_t length = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  EXPECT_EQ(diag.listeners(ntohs(address.sin_port), false).size(), 1U);
  ::close(fd);
  EXPECT_TRUE(diag.listeners(ntohs(address.sin_port), false).empty());
}

TEST_F(PortProbeTest, a_listener_on_another_loopback_address_is_found_by_a_thorough_look) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    if (type == SOCK_STREAM) ASSERT_EQ(::listen(fd, 4), 0);
    socklen_t length = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    const auto port = ntohs(address.sin_port);
    EXPECT_TRUE(diag.listeners(port, type == SOCK_DGRAM).empty());
    EXPECT_EQ(diag.listeners(port, type == SOCK_DGRAM, true).size(), 1U);
    ::close(fd);
    EXPECT_TRUE(diag.listeners(port, type == SOCK_DGRAM, true).empty());
  }
}

TEST_F(PortProbeTest, a_thorough_look_finds_all_who_are_on_the_port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::vector<int> sockets;
  for (const in_addr_t last : {0U, 0U, 1U}) {  // two share an address, one has another
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + last);
    const int fd = sockets.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(fd, 4), 0);
    socklen_t length = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  }
  const auto port = ntohs(address.sin_port);
  EXPECT_EQ(diag.listeners(port, false).size(), 1U);
  EXPECT_EQ(diag.listeners(port, false, true).size(), 3U);
  for (const int fd : sockets) ::close(fd);
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

// --- unix

// A listening unix socket at a path of its own, or an abstract one.
class UnixSocket {
 public:
  explicit UnixSocket(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') address.sun_path[0] = '\0';
    auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    if (fd_ < 0 || ::bind(fd_, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(fd_, 4) != 0)
      std::abort();
  }
  ~UnixSocket() { close(); }
  [[nodiscard]] int fd() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct UnixProbeTest : PortProbeTest {
  UnixProbeTest() { EXPECT_NE(::mkdtemp(directory.data()), nullptr); }
  ~UnixProbeTest() override {
    ::unlink(path().c_str());
    ::rmdir(directory.c_str());
  }
  [[nodiscard]] std::string path() const { return directory + "/socket"; }
  std::string directory = "/tmp/belfry_unix_XXXXXX";
};

TEST_F(UnixProbeTest, the_service_listens_at_the_path) {
  EXPECT_EQ(ask_unix(path(), TreeId{}), "nobody listens at " + path());
  UnixSocket socket(path());
  TreeId tree = service_with(socket, "echo up; exec sleep 1000");
  socket.close();
  EXPECT_EQ(ask_unix(path(), tree), "");
}

TEST_F(UnixProbeTest, however_it_spelled_the_path) {
  UnixSocket socket(directory + "/../" + directory.substr(5) + "/socket");
  EXPECT_EQ(ask_unix(path(), TreeId{}), "");
}

TEST_F(UnixProbeTest, a_file_left_over_is_nobodys) {
  {
    UnixSocket socket(path());
  }
  EXPECT_EQ(ask_unix(path(), TreeId{}), "nobody listens at " + path());
}

TEST_F(UnixProbeTest, a_foreign_listener_does_not_count) {
  UnixSocket socket(path());
  UnixSocket other("@belfry-test-" + std::to_string(::getpid()));
  TreeId tree = service_with(other, "echo up; exec sleep 1000");
  EXPECT_EQ(ask_unix(path(), tree), path() + " is held by " + myself() + ", not by this service");
}

TEST_F(UnixProbeTest, abstract_names_begin_with_an_at_sign) {
  std::string name = "@belfry-test-" + std::to_string(::getpid());
  EXPECT_NE(ask_unix(name, TreeId{}), "");
  UnixSocket socket(name);
  EXPECT_EQ(ask_unix(name, TreeId{}), "");
}

// --- factory

TEST(Factory, makes_what_is_asked_and_refuses_what_is_not_built) {
  World world;
  NativeFactory factory(world.loop, world.processes);
  config::Probe spec;
  spec.kind = config::Probe::Kind::tcp;
  spec.target = "127.0.0.1:1";
  EXPECT_TRUE(factory.make(spec, {}));
  spec.kind = config::Probe::Kind::cluster;
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
