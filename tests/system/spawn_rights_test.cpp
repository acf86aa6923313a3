// Identity, capabilities, CPUs and priorities, read from /proc of real children.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <sstream>

#include "system/capabilities.hpp"
#include "system/own_limits.hpp"
#include "system/spawner.hpp"
#include "tests/support/fake_syscalls.hpp"
#include "tests/system/as_nobody.hpp"
#include "tests/system/fixture.hpp"

namespace belfry::system {
namespace {

using test::as_nobody;
using test::Capture;
using test::FakeSyscalls;
using test::shell;

constexpr CapabilitySet bit(int capability) { return CapabilitySet{1} << static_cast<unsigned>(capability); }
constexpr const char* capability_lines = "grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status";

// What `launch` writes, or why it does not start.
std::string outcome(Spawner& spawner, Launch& launch, Capture& output) {
  const auto pid = spawner.spawn(launch);
  const std::string text = output.read_all();
  if (!pid) return pid.error().text(launch.command());
  ::waitpid(*pid, nullptr, 0);
  return text;
}

std::string run(const std::string& script, const std::function<void(Launch&)>& set) {
  const SignalBlock block;
  FakeSyscalls kernel;
  Spawner spawner(kernel);
  Capture output;
  Launch launch = shell(script, &output);
  set(launch);
  return outcome(spawner, launch, output);
}

std::shared_ptr<const Identity> nobody(std::vector<gid_t> groups = {65534}) {
  return std::make_shared<const Identity>(
      Identity{65534, 65534, std::move(groups), "nobody", "/", "/bin/sh"});
}

// "CapPrm:\t0000000000000400" of the kernel's lines.
CapabilitySet set_in(const std::string& lines, const std::string& name) {
  const auto at = lines.find("Cap" + name + ":\t");
  return at == std::string::npos ? ~CapabilitySet{0} : std::stoull(lines.substr(at + 8, 16), nullptr, 16);
}

class SpawnRights : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give rights away";
  }
};

TEST_F(SpawnRights, what_is_dropped_is_in_none_of_the_sets_of_a_program_of_root) {
  const std::string said = run(capability_lines, [](Launch& launch) {
    launch.capabilities.dropped = bit(CAP_NET_RAW) | bit(CAP_SYS_PTRACE);
  });
  for (const char* set : {"Inh", "Prm", "Eff", "Bnd", "Amb"})
    EXPECT_EQ(set_in(said, set) & (bit(CAP_NET_RAW) | bit(CAP_SYS_PTRACE)), 0U) << set << said;
  EXPECT_NE(set_in(said, "Eff") & bit(CAP_CHOWN), 0U) << said;
}

TEST_F(SpawnRights, everything_can_be_dropped) {
  const std::string said =
      run(capability_lines, [](Launch& launch) { launch.capabilities.dropped = ~CapabilitySet{0}; });
  for (const char* set : {"Inh", "Prm", "Eff", "Bnd", "Amb"}) EXPECT_EQ(set_in(said, set), 0U) << said;
}

TEST_F(SpawnRights, an_ambient_capability_survives_the_change_of_user_and_the_exec) {
  const std::string said = run(std::string("id -u; ") + capability_lines, [](Launch& launch) {
    launch.identity = nobody();
    launch.capabilities = {.dropped = ~bit(CAP_NET_BIND_SERVICE), .ambient = bit(CAP_NET_BIND_SERVICE)};
  });
  EXPECT_TRUE(said.starts_with("65534\n")) << said;
  for (const char* set : {"Inh", "Prm", "Eff", "Bnd", "Amb"})
    EXPECT_EQ(set_in(said, set), bit(CAP_NET_BIND_SERVICE)) << set << said;
}

TEST_F(SpawnRights, a_program_of_another_user_keeps_nothing_that_is_not_ambient) {
  const std::string said = run(capability_lines, [](Launch& launch) {
    launch.identity = nobody();
    launch.capabilities.ambient = bit(CAP_SYS_TIME);
  });
  EXPECT_EQ(set_in(said, "Eff"), bit(CAP_SYS_TIME));
  EXPECT_EQ(set_in(said, "Prm"), bit(CAP_SYS_TIME));
  EXPECT_EQ(set_in(said, "Bnd"), bounding_capabilities());
}

TEST_F(SpawnRights, an_ambient_capability_goes_with_no_new_privileges) {
  const std::string said =
      run(std::string("grep NoNewPrivs /proc/self/status; ") + capability_lines, [](Launch& launch) {
        launch.identity = nobody();
        launch.no_new_privileges = true;
        launch.capabilities.ambient = bit(CAP_NET_RAW);
      });
  EXPECT_TRUE(said.starts_with("NoNewPrivs:\t1\n")) << said;
  EXPECT_EQ(set_in(said, "Eff"), bit(CAP_NET_RAW));
}

TEST_F(SpawnRights, supplementary_groups_are_those_and_no_others) {
  EXPECT_EQ(run("id -G", [](Launch& launch) { launch.identity = nobody({65534, 44, 29}); }), "65534 29 44\n");
}

TEST(SpawnRightsOfAnybody, belfry_without_setpcap_names_the_capability_that_it_cannot_drop) {
  const std::string said = as_nobody(
      [] { return run("true", [](Launch& launch) { launch.capabilities.dropped = bit(CAP_NET_RAW); }); });
  EXPECT_EQ(said, "capabilities: Operation not permitted: CAP_NET_RAW: belfry lacks CAP_SETPCAP");
  EXPECT_EQ(as_nobody([] { return why_no_capabilities(bit(CAP_NET_RAW), 0); }),
            "belfry lacks CAP_SETPCAP, without which it can take none away (start it as root)");
}

TEST(SpawnRightsOfAnybody, belfry_names_the_ambient_capability_that_it_does_not_have) {
  const std::string said = as_nobody(
      [] { return run("true", [](Launch& launch) { launch.capabilities.ambient = bit(CAP_NET_RAW); }); });
  EXPECT_TRUE(said.starts_with("capabilities: Operation not permitted")) << said;
  EXPECT_TRUE(as_nobody([] {
                return why_no_capabilities(0, bit(CAP_NET_RAW));
              }).starts_with("belfry does not have all of `ambient` itself"));
}

TEST(SpawnRightsOfAnybody, the_cpus_are_those_that_were_asked_for) {
  cpu_set_t own;
  ASSERT_EQ(::sched_getaffinity(0, sizeof own, &own), 0);
  int last = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(static_cast<unsigned>(cpu), &own)) last = cpu;
  const std::string said = run("grep Cpus_allowed_list /proc/self/status",
                               [&](Launch& launch) { launch.cpus = {static_cast<std::uint16_t>(last)}; });
  EXPECT_EQ(said, "Cpus_allowed_list:\t" + std::to_string(last) + "\n");
}

TEST(SpawnRightsOfAnybody, cpus_that_are_not_there_are_said_by_name_and_errno) {
  EXPECT_EQ(
      run("true", [](Launch& launch) { launch.cpus = {1023}; }),
      "limits: Invalid argument: cpu_affinity: this machine, or belfry's cpuset, has none of these CPUs");
  const std::uint16_t far[] = {1023};
  EXPECT_FALSE(has_one_of(far));
}

TEST(SpawnRightsOfAnybody, the_disk_priority_is_the_one_that_was_asked_for) {
  EXPECT_EQ(run("ionice -p $$", [](Launch& launch) { launch.disk_priority = io_priority(2, 6); }),
            "best-effort: prio 6\n");
  EXPECT_EQ(run("ionice -p $$", [](Launch& launch) { launch.disk_priority = io_priority(3, 0); }), "idle\n");
}

TEST(SpawnRightsOfAnybody, who_is_not_root_cannot_have_the_disk_first) {
  EXPECT_EQ(
      as_nobody([] { return run("true", [](Launch& launch) { launch.disk_priority = io_priority(1, 0); }); }),
      "limits: Operation not permitted: io_priority: only root (CAP_SYS_NICE) may have the class realtime");
}

TEST(SpawnRightsOfAnybody, what_limits_it_may_set_is_known_before) {
  EXPECT_EQ(as_nobody([] { return std::string(may_set_nice(-5) ? "yes" : "no"); }), "no");
  EXPECT_EQ(as_nobody([] { return std::string(may_set_nice(19) ? "yes" : "no"); }), "yes");
  EXPECT_EQ(as_nobody([] { return std::string(may_set_oom_score(-1000) ? "yes" : "no"); }), "no");
  EXPECT_EQ(as_nobody([] { return std::string(may_set_limit(RLIMIT_CORE, 0) ? "yes" : "no"); }), "yes");
}

// The kernel counts at the change of user, which it lets pass, and refuses the exec.
TEST_F(SpawnRights, a_user_who_has_all_the_processes_that_he_may_have_is_named) {
  const auto worker =
      std::make_shared<const Identity>(Identity{54321, 54321, {54321}, "worker", "/", "/bin/sh"});
  const SignalBlock block;
  FakeSyscalls kernel;
  Spawner spawner(kernel);
  int input[2];
  ASSERT_EQ(::pipe2(input, O_CLOEXEC), 0);
  Launch first = shell("read -r line");
  first.identity = worker;
  first.standard_input = input[0];
  const auto running = spawner.spawn(first);
  ASSERT_TRUE(running);
  Capture output;
  Launch second = shell("true", &output);
  second.identity = worker;
  second.rlimits = {{RLIMIT_NPROC, 0, 0}};
  const std::string said = outcome(spawner, second, output);
  EXPECT_EQ(
      said,
      "exec: Resource temporarily unavailable: /bin/sh: user worker has as many processes and threads as "
      "it may (RLIMIT_NPROC is 0: `rlimits: {nproc: …}` counts the whole user)");
  ::close(input[0]);
  ::close(input[1]);
  ::waitpid(*running, nullptr, 0);
}

TEST(SpawnRightsOfAnybody, an_environment_can_be_passed_on_in_part) {
  const char* const all[] = {"PATH=/bin", "LANG=C", "SECRET=x", "LANGUAGE=de", nullptr};
  const auto inherited = BaseEnvironment::inherited(all);
  const std::vector<std::string> names{"LANG", "PATH", "NOT_THERE"};
  const auto some = BaseEnvironment::only(*inherited, names);
  std::string said;
  for (const char* entry : some->entries()) said.append(entry).append(" ");
  EXPECT_EQ(said, "PATH=/bin LANG=C ");
}

}  // namespace
}  // namespace belfry::system
