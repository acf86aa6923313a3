// Real namespaces, seen from real children in them.
#include "system/sandbox.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

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

namespace fs = std::filesystem;

class SandboxTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto tried = Sandbox::make({.private_tmp = true, .private_network = true});
    if (!tried) GTEST_SKIP() << "no namespaces here: " << tried.error().text();
    std::string name = "/var/belfry-sandbox-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
  }
  void TearDown() override {
    if (!directory.empty()) fs::remove_all(directory);
  }

  std::string run(const Sandbox& sandbox, const std::string& script) {
    Capture output;
    Launch launch = shell(script + " 2>&1", &output);
    launch.sandbox = &sandbox;
    launch.working_dir = working_dir;
    const auto pid = spawner.spawn(launch);
    const std::string text = output.read_all();
    if (!pid) return pid.error().text(launch.command());
    ::waitpid(*pid, nullptr, 0);
    return text;
  }
  std::string run(const SandboxPlan& plan, const std::string& script) {
    const auto made = Sandbox::make(plan);
    return made ? run(**made, script) : made.error().text();
  }

  SignalBlock block;
  FakeSyscalls kernel;
  Spawner spawner{kernel};
  std::string directory, working_dir = "/";
};

TEST_F(SandboxTest, a_private_tmp_is_empty_writable_by_all_and_unknown_outside) {
  const std::string name = "/tmp/belfry-only-inside-" + std::to_string(::getpid());
  EXPECT_EQ(
      run({.private_tmp = true}, "ls -A /tmp /var/tmp; stat -c %a /tmp; touch " + name + " && ls " + name),
      "/tmp:\n\n/var/tmp:\n1777\n" + name + "\n");
  EXPECT_FALSE(fs::exists(name));
}

TEST_F(SandboxTest, everybody_who_joins_it_has_the_same_tmp) {
  const auto made = Sandbox::make({.private_tmp = true});
  ASSERT_TRUE(made);
  EXPECT_EQ(run(**made, "echo left > /tmp/note"), "");
  EXPECT_EQ(run(**made, "cat /tmp/note"), "left\n");
}

TEST_F(SandboxTest, nothing_can_be_written_below_a_read_only_root) {
  const std::string said =
      run({.read_only_root = true}, "touch " + directory + "/x; echo no > /etc/belfry-x");
  EXPECT_NE(said.find("Read-only file system"), std::string::npos) << said;
  EXPECT_FALSE(fs::exists(directory + "/x"));
  EXPECT_FALSE(fs::exists("/etc/belfry-x"));
}

TEST_F(SandboxTest, dev_and_proc_stay_as_they_are_below_a_read_only_root) {
  EXPECT_EQ(run({.read_only_root = true},
                "echo x > /dev/null && echo 0 > /proc/self/oom_score_adj && touch /dev/shm/belfry-$$ && rm "
                "/dev/shm/belfry-$$ && echo fine"),
            "fine\n");
}

TEST_F(SandboxTest, what_is_kept_stays_writable_below_a_read_only_root) {
  EXPECT_EQ(run({.read_only_root = true, .kept = {directory}}, "touch " + directory + "/x && echo done"),
            "done\n");
  EXPECT_TRUE(fs::exists(directory + "/x"));
}

TEST_F(SandboxTest, a_private_tmp_is_writable_below_a_read_only_root) {
  EXPECT_EQ(run({.read_only_root = true, .private_tmp = true}, "touch /tmp/x && echo done"), "done\n");
}

TEST_F(SandboxTest, homes_are_empty_and_cannot_be_written_to) {
  const std::string said = run({.protect_home = true}, "ls -A /root; touch /root/x");
  EXPECT_NE(said.find("Read-only file system"), std::string::npos) << said;
  EXPECT_TRUE(said.starts_with("touch")) << said;
}

TEST_F(SandboxTest, what_is_kept_is_in_sight_below_what_is_hidden) {
  std::string inside = "/tmp/belfry-kept-XXXXXX";
  ASSERT_NE(::mkdtemp(inside.data()), nullptr);
  std::ofstream(inside + "/file") << "here\n";
  EXPECT_EQ(run({.private_tmp = true, .kept = {inside, inside + "/file"}},
                "cat " + inside + "/file; touch " + inside + "/x; ls /tmp"),
            "here\n" + fs::path(inside).filename().string() + "\n");
  EXPECT_TRUE(fs::exists(inside + "/x"));
  fs::remove_all(inside);
}

TEST_F(SandboxTest, a_kept_path_that_does_not_exist_is_named_with_its_errno) {
  EXPECT_EQ(run({.read_only_root = true, .kept = {"/var/belfry-not-there"}}, "true"),
            "keep /var/belfry-not-there: No such file or directory");
}

TEST_F(SandboxTest, a_private_network_has_a_loopback_interface_that_is_up_and_nothing_else) {
  EXPECT_EQ(run({.private_network = true},
                "sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d ' '; cat /sys/class/net/lo/flags >/dev/null; "
                "grep -c 127.0.0.1 /proc/net/fib_trie"),
            "lo\n2\n");
}

TEST_F(SandboxTest, mounts_inside_do_not_reach_belfry) {
  const auto mounts = [] {
    std::ifstream file("/proc/self/mountinfo");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string before = mounts();
  EXPECT_EQ(run({.read_only_root = true, .private_tmp = true, .protect_home = true},
                "mount -t tmpfs none /mnt && echo mounted"),
            "mounted\n");
  EXPECT_EQ(mounts(), before);
}

TEST_F(SandboxTest, credentials_are_readable_by_their_owner_alone_and_exist_only_inside) {
  const std::string secret = "opensesame";
  const SandboxPlan plan{
      .credentials_directory = directory, .credentials = {{"pg", &secret}}, .owner = 65534};
  EXPECT_EQ(run(plan, "cat " + directory + "/pg; stat -c ' %a %u' " + directory + "/pg " + directory +
                          "; stat -f -c %T " + directory + "; touch " + directory + "/x"),
            "opensesame 400 65534\n 500 65534\nramfs\ntouch: cannot touch '" + directory +
                "/x': Read-only file system\n");
  EXPECT_TRUE(fs::is_empty(directory));
}

TEST_F(SandboxTest, a_credential_of_any_bytes_comes_whole) {
  std::string big(1U << 20U, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 7);
  const SandboxPlan plan{.credentials_directory = directory, .credentials = {{"big", &big}}};
  std::ofstream(directory + ".expected") << big;
  EXPECT_EQ(run(plan, "cmp " + directory + "/big " + directory + ".expected && echo same"), "same\n");
  fs::remove(directory + ".expected");
}

TEST_F(SandboxTest, the_working_directory_is_one_inside) {
  working_dir = "/tmp";
  EXPECT_EQ(run({.private_tmp = true}, "pwd; ls -A"), "/tmp\n");
}

TEST_F(SandboxTest, a_working_directory_that_it_hides_is_said_to_be_hidden) {
  std::string inside = "/tmp/belfry-hidden-XXXXXX";
  ASSERT_NE(::mkdtemp(inside.data()), nullptr);
  working_dir = inside;
  EXPECT_EQ(run({.private_tmp = true}, "true"), "working_dir: " + inside + ": `sandbox` hides it");
  fs::remove_all(inside);
}

TEST_F(SandboxTest, descriptors_that_are_passed_are_not_taken_for_its_namespaces) {
  const auto made = Sandbox::make({.private_tmp = true, .private_network = true});
  ASSERT_TRUE(made);
  Capture output, more;
  Launch launch = shell("echo passed >&3; ls -A /tmp; ls /proc/$$/fd; exit", &output);
  launch.sandbox = made->get();
  for (int target = 3; target < 6; ++target) launch.descriptors.push_back({more.writer(), target});
  const auto pid = spawner.spawn(launch);
  ASSERT_TRUE(pid) << pid.error().text("sh");
  EXPECT_EQ(output.read_all(), "0\n1\n2\n3\n4\n5\n");
  EXPECT_EQ(more.read_all(), "passed\n");
  ::waitpid(*pid, nullptr, 0);
}

TEST_F(SandboxTest, the_process_that_makes_it_is_no_child_that_anybody_else_could_wait_for) {
  while (::waitpid(-1, nullptr, WNOHANG | __WALL) > 0) {  // of other tests
  }
  ASSERT_TRUE(Sandbox::make({.private_tmp = true}));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG | __WALL), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(SandboxTest, it_leaves_no_descriptor_behind) {
  const auto count = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator{});
  };
  const auto before = count();
  {
    const auto made = Sandbox::make({.read_only_root = true, .private_network = true, .kept = {directory}});
    ASSERT_TRUE(made);
    EXPECT_EQ(count(), before + 3);
  }
  ASSERT_FALSE(Sandbox::make({.read_only_root = true, .kept = {"/var/belfry-not-there"}}));
  EXPECT_EQ(count(), before);
}

TEST(SandboxOfAnybody, who_is_not_root_is_told_which_right_is_missing) {
  EXPECT_EQ(as_nobody([] {
              const auto made = Sandbox::make({.private_tmp = true});
              return made ? std::string("made") : made.error().text();
            }),
            "a mount namespace: Operation not permitted (belfry lacks CAP_SYS_ADMIN)");
  EXPECT_EQ(as_nobody([] {
              const auto made = Sandbox::make({.private_network = true});
              return made ? std::string("made") : made.error().text();
            }),
            "a network namespace: Operation not permitted (belfry lacks CAP_SYS_ADMIN)");
}

}  // namespace
}  // namespace belfry::system
