#include "system/spawner.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "system/descriptors.hpp"
#include "system/oom_score.hpp"
#include "system/proc.hpp"
#include "system/signals.hpp"
#include "tests/support/fake_syscalls.hpp"
#include "tests/system/fixture.hpp"

namespace belfry::system {
namespace {

using test::Capture;
using test::FakeSyscalls;
using test::shell;

class SpawnerTest : public testing::Test {
 protected:
  // Other tests made this process a subreaper.
  void SetUp() override {
    ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
  std::string run(Launch& launch, Capture& output) {
    auto pid = spawner.spawn(launch);
    EXPECT_TRUE(pid) << pid.error().text(launch.command());
    std::string text = output.read_all();
    if (pid) last_status = reap(*pid);
    return text;
  }
  std::string run(const std::string& script) {
    Capture output;
    Launch launch = shell(script, &output);
    return run(launch, output);
  }
  std::string failure(Launch& launch) {
    auto pid = spawner.spawn(launch);
    if (!pid) return pid.error().text(launch.command());
    reap(*pid);
    return "started";
  }
  static int reap(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
  }
  static bool no_children() { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }

  SignalBlock block;
  FakeSyscalls kernel;
  Spawner spawner{kernel};
  int last_status = -1;
};

// --- what the child finds

TEST_F(SpawnerTest, the_child_has_the_standard_descriptors_and_no_others) {
  int stray = ::open("/dev/null", O_RDONLY);  // not close-on-exec, as a careless library would
  EXPECT_EQ(run("ls /proc/$$/fd; exit"), "0\n1\n2\n");
  ::close(stray);
}

TEST_F(SpawnerTest, what_was_inherited_at_entry_is_not_passed_on) {
  int inherited = ::open("/dev/null", O_RDONLY);
  Spawner later(kernel);
  Capture output;
  Launch launch = shell("ls /proc/$$/fd; exit", &output);
  auto pid = later.spawn(launch);
  ASSERT_TRUE(pid);
  EXPECT_EQ(output.read_all(), "0\n1\n2\n");
  reap(*pid);
  ::close(inherited);
}

TEST_F(SpawnerTest, standard_input_is_dev_null) {
  EXPECT_EQ(run("readlink /proc/$$/fd/0; exit"), "/dev/null\n");
}

TEST_F(SpawnerTest, both_outputs_go_to_the_given_pipe) {
  EXPECT_EQ(run("echo out; echo err >&2"), "out\nerr\n");
}

TEST_F(SpawnerTest, the_signal_mask_is_empty_and_nothing_is_ignored) {
  EXPECT_EQ(run("grep -E 'SigBlk|SigIgn|SigPnd' /proc/self/status"),
            "SigPnd:\t0000000000000000\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(SpawnerTest, the_child_leads_a_session_and_a_group_of_its_own) {
  // pid (comm) state ppid pgrp session
  std::istringstream fields(run("read -r line < /proc/$$/stat; echo $line"));
  std::string pid, name, state, parent, group, session;
  fields >> pid >> name >> state >> parent >> group >> session;
  EXPECT_EQ(parent, std::to_string(::getpid()));
  EXPECT_EQ(group, pid);
  EXPECT_EQ(session, pid);
}

TEST_F(SpawnerTest, without_a_session_it_still_leads_a_group) {
  Capture output;
  Launch launch = shell("read -r line < /proc/$$/stat; echo $line", &output);
  launch.new_session = false;
  std::istringstream fields(run(launch, output));
  std::string pid, name, state, parent, group, session;
  fields >> pid >> name >> state >> parent >> group >> session;
  EXPECT_EQ(group, pid);
  EXPECT_EQ(session, std::to_string(::getsid(0)));
}

TEST_F(SpawnerTest, the_terminal_is_handed_over) {
  int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_TRUE(terminal >= 0 && ::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0);
  Capture result;
  pid_t belfry = ::fork();
  if (belfry == 0) {  // stands for a belfry that was started from a shell
    ::setsid();
    int tty = ::open(::ptsname(terminal), O_RDWR | O_CLOEXEC);
    Capture output;
    Launch launch = shell("read -r line < /proc/$$/stat; echo $line", &output);
    launch.new_session = false;
    launch.foreground_tty = tty;
    auto child = spawner.spawn(launch);
    std::string fields = output.read_all();
    ::tcsetpgrp(tty, ::getpgrp());  // from the background: would stop a belfry that does not block SIGTTOU
    ::_exit(::write(result.writer(), fields.data(), fields.size()) > 0 && child ? 0 : 1);
  }
  std::istringstream fields(result.read_all());
  EXPECT_EQ(reap(belfry), 0);
  std::string pid, name, state, parent, group, session, device, foreground;
  fields >> pid >> name >> state >> parent >> group >> session >> device >> foreground;
  EXPECT_EQ(group, pid);
  EXPECT_EQ(foreground, pid);
  EXPECT_EQ(session, std::to_string(belfry));
  ::close(terminal);
}

TEST_F(SpawnerTest, a_terminal_that_does_not_control_belfry_is_left_alone) {
  int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  Launch launch = shell("exit 0");
  launch.new_session = false;
  launch.foreground_tty = terminal;
  EXPECT_EQ(failure(launch), "started");
  ::close(terminal);
}

TEST_F(SpawnerTest, passed_descriptors_arrive_at_their_numbers_whatever_stood_there) {
  Capture a, b, output;
  Launch launch = shell("echo a >&3; echo b >&4; ls /proc/$$/fd; exit", &output);
  launch.descriptors = {{b.writer(), 4}, {a.writer(), 3}};
  EXPECT_EQ(run(launch, output), "0\n1\n2\n3\n4\n");
  EXPECT_EQ(a.read_line(), "a");
  EXPECT_EQ(b.read_line(), "b");
}

TEST_F(SpawnerTest, sources_and_targets_may_cross) {
  // 3 and 4 are low numbers of this process, given to each other's place
  Capture output;
  int low = ::open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
  int other = ::open("/proc/self/limits", O_RDONLY | O_CLOEXEC);
  Launch launch = shell("", &output);
  launch.set_command(std::vector<std::string>{
      "/bin/sh", "-c",
      "readlink /proc/$$/fd/" + std::to_string(low) + " /proc/$$/fd/" + std::to_string(other) + "; exit"});
  launch.descriptors = {{low, other}, {other, low}};
  std::string text = run(launch, output);
  EXPECT_NE(text.find("limits\n/proc"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("comm\n")) << text;
  ::close(low);
  ::close(other);
}

TEST_F(SpawnerTest, error_can_go_where_output_goes_by_number) {
  Capture output;
  Launch launch = shell("echo err >&2", nullptr);
  launch.standard_output = output.writer();
  launch.standard_error = output.writer();
  EXPECT_EQ(run(launch, output), "err\n");
}

TEST_F(SpawnerTest, more_descriptors_than_slots_take_the_plain_way) {
  Capture output;
  Launch launch = shell("ls /proc/$$/fd; exit", &output);
  std::vector<std::unique_ptr<Capture>> many;
  for (int i = 0; i < 30; ++i) {
    many.push_back(std::make_unique<Capture>());
    launch.descriptors.push_back({many.back()->writer(), 3 + i});
  }
  std::string listed = run(launch, output);
  EXPECT_EQ(std::ranges::count(listed, '\n'), 33);
  EXPECT_EQ(kernel.last_clone_flags & CLONE_FILES, 0);
  EXPECT_EQ(run("true"), "");
  EXPECT_NE(kernel.last_clone_flags & CLONE_FILES, 0);
}

TEST_F(SpawnerTest, a_lent_slot_does_not_keep_a_pipe_open) {
  Capture output;
  Launch launch = shell("exit 0", &output);
  EXPECT_EQ(run(launch, output), "");  // read_all would hang
}

TEST_F(SpawnerTest, the_parents_descriptors_are_untouched) {
  auto listed = [] {
    std::vector<std::string> links;
    for (int fd = 0; fd < 64; ++fd) {
      char link[256] = {};
      if (::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), link, sizeof link - 1) > 0) {
        links.push_back(std::to_string(fd) + " " + link + " " + std::to_string(::fcntl(fd, F_GETFD)));
      }
    }
    return links;
  };
  Capture output;
  Launch launch = shell("exit 0", &output);
  auto before = listed();
  auto pid = spawner.spawn(launch);
  ASSERT_TRUE(pid);
  EXPECT_EQ(listed(), before);
  reap(*pid);
}

TEST_F(SpawnerTest, the_environment_is_the_base_overlaid_by_its_own_and_the_marker) {
  Capture output;
  Launch launch;
  const char* given[] = {"A=1", "B=2", "PATH=/usr/bin:/bin", nullptr};
  launch.set_command(std::vector<std::string>{"env"});
  launch.set_environment(BaseEnvironment::inherited(given), std::vector<NameValue>{{"B", "own"}, {"C", "3"}});
  launch.add_variable("C", "later");
  launch.set_marker("shop/db#3");
  launch.standard_output = output.writer();
  EXPECT_EQ(run(launch, output), "BELFRY_SERVICE=shop/db#3\nA=1\nPATH=/usr/bin:/bin\nB=own\nC=later\n");
}

TEST_F(SpawnerTest, pid_variables_hold_the_childs_own_pid) {
  Capture output;
  Launch launch = shell("echo $$ $LISTEN_PID $WATCHDOG_PID", &output);
  launch.listen_pid = launch.watchdog_pid = true;
  std::istringstream fields(run(launch, output));
  std::string self, listen, watchdog;
  fields >> self >> listen >> watchdog;
  EXPECT_EQ(listen, self);
  EXPECT_EQ(watchdog, self);
}

TEST_F(SpawnerTest, attributes_are_set) {
  Capture output;
  Launch launch = shell("umask; nice; cat /proc/self/oom_score_adj; ulimit -n; pwd", &output);
  launch.umask = 027;
  launch.nice = 5;
  launch.oom_score_adj = 321;
  launch.rlimits = {{RLIMIT_NOFILE, 123, 456}};
  launch.working_dir = "/usr";
  EXPECT_EQ(run(launch, output), "0027\n5\n321\n123\n/usr\n");
}

TEST_F(SpawnerTest, the_child_becomes_another_user_with_exactly_its_groups) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  Capture output;
  Launch launch = shell("grep -E '^(Uid|Gid|Groups)' /proc/self/status", &output);
  launch.identity =
      std::make_shared<const Identity>(Identity{54321, 54322, {54322, 54323}, "x", "/", "/bin/sh"});
  EXPECT_EQ(run(launch, output),
            "Uid:\t54321\t54321\t54321\t54321\nGid:\t54322\t54322\t54322\t54322\nGroups:\t54322 54323 \n");
}

TEST_F(SpawnerTest, no_new_privileges_on_request_only) {
  Capture first, second;
  Launch launch = shell("grep NoNewPrivs /proc/self/status", &first);
  EXPECT_EQ(run(launch, first), "NoNewPrivs:\t0\n");
  launch.standard_output = launch.standard_error = second.writer();
  launch.no_new_privileges = true;
  EXPECT_EQ(run(launch, second), "NoNewPrivs:\t1\n");
}

TEST_F(SpawnerTest, a_raised_descriptor_limit_is_belfrys_alone) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit low{std::min<rlim_t>(before.rlim_max, 512), before.rlim_max};
  if (low.rlim_cur == before.rlim_max) GTEST_SKIP() << "nothing to raise";
  // in a process of its own: the limit that is raised is remembered for good
  pid_t pid = ::fork();
  if (pid == 0) {
    ::setrlimit(RLIMIT_NOFILE, &low);
    raise_descriptor_limit();
    rlimit now{};
    ::getrlimit(RLIMIT_NOFILE, &now);
    Capture output;
    Launch launch = shell("ulimit -n", &output);
    auto child = spawner.spawn(launch);
    bool good = now.rlim_cur == now.rlim_max && child && output.read_all() == "512\n";
    ::_exit(good ? 0 : 1);
  }
  EXPECT_EQ(reap(pid), 0);
}

TEST_F(SpawnerTest, a_lowered_oom_score_is_belfrys_alone) {
  // in a process of its own: the score that was found is remembered for good
  pid_t pid = ::fork();
  if (pid == 0) {
    std::ofstream("/proc/self/oom_score_adj") << 300;
    lower_oom_score();
    const std::string now = proc::read_file("/proc/self/oom_score_adj");
    const bool lowered = now == "-900\n" || now == "0\n";  // with CAP_SYS_RESOURCE, and without
    Capture output, own;
    Launch launch = shell("cat /proc/self/oom_score_adj", &output);
    auto child = spawner.spawn(launch);
    bool good = lowered && child && output.read_all() == "300\n";
    launch.standard_output = launch.standard_error = own.writer();
    launch.oom_score_adj = 500;
    good = good && spawner.spawn(launch) && own.read_all() == "500\n";
    ::_exit(good ? 0 : 1);
  }
  EXPECT_EQ(reap(pid), 0);
}

TEST_F(SpawnerTest, descriptors_that_were_closed_at_entry_are_filled_and_the_child_is_whole) {
  pid_t pid = ::fork();
  if (pid == 0) {
    for (int fd = 0; fd < 3; ++fd) ::close(fd);
    ensure_standard_descriptors();
    Spawner fresh(Syscalls::real());
    Capture output;  // its ends are above 2, or the child's streams would be mixed up
    Launch launch = shell("ls /proc/$$/fd; exit", &output);
    auto child = fresh.spawn(launch);
    ::_exit(output.writer() > 2 && child && output.read_all() == "0\n1\n2\n" ? 0 : 1);
  }
  EXPECT_EQ(reap(pid), 0);
}

TEST_F(SpawnerTest, a_child_dies_with_belfry_unless_it_is_to_be_kept) {
  struct Case {
    bool dies, as_another_user;
  };
  for (const auto [dies, as_another_user] : {Case{true, false}, Case{true, true}, Case{false, false}}) {
    if (as_another_user && ::geteuid() != 0) continue;
    Capture held, told;
    pid_t pid = ::fork();
    if (pid == 0) {
      Launch launch = shell("echo $$; exec sleep 1000", &held);
      launch.die_with_belfry = dies;
      if (as_another_user)
        launch.identity =
            std::make_shared<const Identity>(Identity{54321, 54321, {54321}, "x", "/", "/bin/sh"});
      bool good = spawner.spawn(launch).has_value();
      std::string line = held.read_line() + "\n";
      good = good && ::write(told.writer(), line.data(), line.size()) > 0;
      ::_exit(good ? 0 : 1);
    }
    EXPECT_EQ(reap(pid), 0);
    pid_t grandchild = static_cast<pid_t>(std::stol(told.read_all()));
    if (!dies) EXPECT_EQ(::kill(grandchild, SIGKILL), 0);
    EXPECT_EQ(held.read_all(), "");  // the pipe ends with its last holder
  }
}

TEST_F(SpawnerTest, a_child_that_has_lost_belfry_before_it_could_ask_for_that_does_not_begin) {
  // Whoever clones here is not the one who is to be died with.
  struct SomebodyElse final : FakeSyscalls {
    pid_t clone(int (*entry)(void*), void* stack_top, int flags, void* argument) override {
      const pid_t other = ::fork();
      if (other == 0) {
        const pid_t child = FakeSyscalls::clone(entry, stack_top, flags, argument);
        ::_exit(child > 0 && ::waitpid(child, nullptr, 0) == child ? 0 : 1);
      }
      return other;
    }
  } somebody_else;
  Spawner orphaning(somebody_else);
  for (const bool dies : {true, false}) {
    Capture output;
    Launch launch = shell("echo begun", &output);
    launch.die_with_belfry = dies;
    const auto pid = orphaning.spawn(launch);
    ASSERT_TRUE(pid);
    EXPECT_EQ(output.read_all(), dies ? "" : "begun\n");
    EXPECT_EQ(reap(*pid), 0);
  }
}

// --- finding the command

TEST_F(SpawnerTest, a_plain_name_is_searched_in_the_childs_own_path) {
  Capture output;
  Launch launch;
  launch.set_command(std::vector<std::string>{"sh", "-c", "echo found"});
  launch.set_environment(BaseEnvironment::empty(),
                         std::vector<NameValue>{{"PATH", "/nowhere:/usr/bin:/bin"}});
  launch.standard_output = output.writer();
  EXPECT_EQ(run(launch, output), "found\n");
  launch.standard_output = -1;
  launch.add_variable("PATH", "/nowhere");
  EXPECT_EQ(failure(launch), "exec: sh: it is in no directory of PATH (/nowhere)");
}

TEST_F(SpawnerTest, a_relative_path_counts_from_the_working_directory) {
  Launch launch;
  launch.set_command(std::vector<std::string>{"./sh", "-c", "exit 0"});
  launch.working_dir = "/bin";
  EXPECT_EQ(failure(launch), "started");
  launch.working_dir = "/";
  EXPECT_EQ(failure(launch), "exec: No such file or directory: ./sh");
}

TEST_F(SpawnerTest, a_command_that_appeared_after_it_was_resolved_is_found) {
  char directory[] = "/tmp/belfry_path_XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  std::string tool = std::string(directory) + "/tool";
  Launch launch;
  launch.set_command(std::vector<std::string>{"tool"});
  launch.set_environment(BaseEnvironment::empty(), std::vector<NameValue>{{"PATH", directory}});
  launch.resolve();
  EXPECT_EQ(failure(launch), std::string("exec: tool: it is in no directory of PATH (") + directory + ")");
  ASSERT_EQ(::symlink("/bin/true", tool.c_str()), 0);
  EXPECT_EQ(failure(launch), "started");
  ::unlink(tool.c_str());
  ::rmdir(directory);
}

// --- failing stages

TEST_F(SpawnerTest, a_missing_command_is_named_with_its_stage) {
  Launch launch;
  launch.set_command(std::vector<std::string>{"./apii"});
  EXPECT_EQ(failure(launch), "exec: No such file or directory: ./apii");
  EXPECT_TRUE(no_children());
}

TEST_F(SpawnerTest, a_file_that_is_not_executable_is_refused) {
  Launch launch;
  launch.set_command(std::vector<std::string>{"/etc/passwd"});
  EXPECT_EQ(failure(launch), "exec: Permission denied: /etc/passwd: it is not executable (chmod +x)");
}

TEST_F(SpawnerTest, a_missing_working_directory_is_named) {
  Launch launch = shell("exit 0");
  launch.working_dir = "/no/such/place";
  EXPECT_EQ(failure(launch), "working_dir: No such file or directory: /no/such/place");
}

TEST_F(SpawnerTest, a_directory_the_user_may_not_enter_fails_as_that_user) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  char directory[] = "/tmp/belfry_dir_XXXXXX";  // mode 0700, root's
  ASSERT_NE(::mkdtemp(directory), nullptr);
  Launch launch = shell("exit 0");
  launch.identity = std::make_shared<const Identity>(Identity{54321, 54321, {54321}, "x", "/", "/bin/sh"});
  launch.working_dir = directory;
  EXPECT_EQ(failure(launch), std::string("working_dir: Permission denied: ") + directory +
                                 ": user 54321 may not enter " + directory +
                                 " (mode 0700, of root:root; chmod o+x " + directory + " would let it)");
  ::rmdir(directory);
}

TEST_F(SpawnerTest, a_limit_above_the_hard_one_is_named) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  Launch launch = shell("exit 0");
  launch.rlimits = {{RLIMIT_NOFILE, 20, 10}};
  EXPECT_EQ(failure(launch), "limits: Invalid argument: limit nofile");
}

TEST_F(SpawnerTest, a_script_whose_interpreter_is_missing_is_not_said_to_be_missing_itself) {
  char directory[] = "/tmp/belfry-spawner-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  const std::string script = std::string(directory) + "/web.sh";
  std::ofstream(script) << "#!/bin/sh\r\nexit 0\r\n";
  ::chmod(script.c_str(), 0755);
  Launch launch;
  launch.working_dir = directory;
  launch.set_command(std::vector<std::string>{"./web.sh"});
  const std::string said = failure(launch);
  EXPECT_TRUE(said.starts_with("exec: ./web.sh: its first line ends with CRLF")) << said;
  EXPECT_EQ(said.find("No such file"), std::string::npos) << said;
  std::filesystem::remove_all(directory);
}

TEST_F(SpawnerTest, a_directory_is_said_to_be_one) {
  Launch launch;
  launch.set_command(std::vector<std::string>{"/etc"});
  EXPECT_EQ(failure(launch), "exec: Permission denied: /etc: it is a directory");
}

TEST_F(SpawnerTest, a_priority_that_only_root_may_have_is_named) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  pid_t pid = ::fork();
  if (pid == 0) {
    const bool dropped = ::setgid(54321) == 0 && ::setuid(54321) == 0;
    Launch launch = shell("exit 0");
    launch.nice = -5;
    const std::string said = dropped ? failure(launch) : "";
    ::_exit(said == "limits: Permission denied: nice -5: only root (CAP_SYS_NICE) may raise a priority" ? 0
                                                                                                        : 1);
  }
  EXPECT_EQ(reap(pid), 0);
}

TEST_F(SpawnerTest, a_descriptor_that_is_not_open_is_reported) {
  Launch launch = shell("exit 0");
  launch.descriptors = {{9999, 3}};
  EXPECT_EQ(failure(launch), "descriptors: Bad file descriptor: /bin/sh");
}

TEST_F(SpawnerTest, a_kernel_without_processes_is_a_transient_failure) {
  kernel.clone_errors = {EAGAIN, ENOMEM};
  Launch launch = shell("exit 0");
  for (int errnum : {EAGAIN, ENOMEM}) {
    auto pid = spawner.spawn(launch);
    ASSERT_FALSE(pid);
    EXPECT_EQ(pid.error().stage, SpawnStage::clone);
    EXPECT_EQ(pid.error().errnum, errnum);
    EXPECT_TRUE(pid.error().transient());
  }
  EXPECT_EQ(failure(launch), "started");
}

TEST_F(SpawnerTest, a_full_descriptor_table_is_reported_and_the_slots_come_back) {
  Capture output;
  Launch launch = shell("exit 0", &output);
  kernel.duplicate_errors = {EMFILE};
  // a source above the hole, so that it must be lent
  int high = ::fcntl(output.writer(), F_DUPFD_CLOEXEC, 200);
  launch.standard_output = high;
  auto pid = spawner.spawn(launch);
  ASSERT_FALSE(pid);
  EXPECT_EQ(pid.error().stage, SpawnStage::descriptors);
  EXPECT_EQ(pid.error().errnum, EMFILE);
  EXPECT_EQ(failure(launch), "started");
  ::close(high);
  EXPECT_EQ(output.read_all(), "");
}

TEST_F(SpawnerTest, a_thousand_failures_leave_nothing_behind) {
  Launch launch;
  launch.set_command(std::vector<std::string>{"/no/such/command"});
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(failure(launch), "exec: /no/such/command: the directory /no does not exist");
  EXPECT_TRUE(no_children());
}

}  // namespace
}  // namespace belfry::system
