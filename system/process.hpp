// What becomes of a process: how it failed to start, how it ended, and which processes are its own.
//
// Plain values, no kernel in here. The words of `text()` are what a user reads in `why` and `status`.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belfry::system {

// The step of a start that failed. The order is the order in which the child takes them.
enum class SpawnStage : std::uint8_t {
  clone,        // the kernel would not make a process: EAGAIN and ENOMEM are worth another try
  shim,         // the process between belfry and an isolated service
  cgroup,       // joining the cgroup of the service
  session,      // setsid, process group, terminal
  sandbox,      // joining the namespaces of the service
  descriptors,  // standard streams and passed descriptors
  limits,       // umask, nice, oom_score_adj, CPUs, I/O priority, resource limits
  bounding,     // capabilities that nothing below may ever have
  identity,     // user, group, supplementary groups
  ambient,      // capabilities that it keeps although it is not root
  working_dir,
  exec,
};

[[nodiscard]] std::string_view name_of(SpawnStage stage);

// What to do about EAGAIN of clone(2), to go behind a message.
inline constexpr std::string_view how_to_raise_the_process_limit =
    " (the limit of processes and threads is reached: RLIMIT_NPROC, ulimit -u, or pids.max of the cgroup: "
    "TasksMax=, docker run --pids-limit)";

// Why a process did not come to be. A value: cheap to return, made only on failure.
struct SpawnError {
  SpawnStage stage = SpawnStage::clone;
  int errnum = 0;          // errno of the failed step
  std::string detail;      // the thing it failed on, when it is not the command: a directory, a user, a limit
  std::string cause = {};  // what is wrong with it, where errno does not say or misleads: "it is a directory"

  // "exec: No such file or directory: ./apii", "exec: ./web.sh: its interpreter \"/bin/zsh\" does not exist".
  // `command` is argv[0] as the user wrote it.
  [[nodiscard]] std::string text(std::string_view command) const;

  // True when the machine, not the service, is at fault and a later try may work.
  [[nodiscard]] bool transient() const;
};

// How a process ended (wait(2)).
struct ExitStatus {
  bool signaled = false;
  int value = 0;  // exit code, or the number of the signal
  bool core = false;
  bool out_of_memory = false;  // the kernel killed in its cgroup for lack of memory

  [[nodiscard]] bool success() const { return !signaled && value == 0; }
  // The code a shell would show: the exit code, or 128 + signal.
  [[nodiscard]] int shell_code() const { return signaled ? 128 + value : value; }
  // "exited with code 3", "killed by SIGKILL", "killed by SIGSEGV (core dumped)", "killed by SIGKILL (out of
  // memory)".
  [[nodiscard]] std::string text() const;

  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

// From the two fields of siginfo_t that matter (waitid(2)): CLD_EXITED, CLD_KILLED or CLD_DUMPED, and the
// exit code or the signal.
[[nodiscard]] ExitStatus exit_status(int code, int status);

// "SIGTERM" for 15; "signal 99" for what has no name; "SIGRTMIN+3" for real-time signals.
[[nodiscard]] std::string signal_name(int signo);

// What identifies the processes of one incarnation: its leader's pid (which is also its process group
// and, unless the launch said otherwise, its session), its marker in the environment, and the pipe that
// its output goes to; and exactly, by its cgroup, where it has one. The owner of the incarnation keeps it,
// and keeps the texts alive.
struct TreeId {
  pid_t leader = 0;
  std::string_view marker;  // the value of BELFRY_SERVICE, e.g. "shop/db#3"; empty: not used
  ino_t log_pipe = 0;       // inode of the log pipe (pipe_inode()); 0: not used
  // The directory of its cgroup v2 leaf, kept alive by the owner; empty: it has none.
  std::string_view cgroup = {};
};

// A process of a tree that is still there, for messages that name it.
struct Survivor {
  pid_t pid = 0;
  char state = '?';  // as in /proc/PID/stat: 'D' cannot be killed now
  std::string name;  // /proc/PID/comm
  int refused = 0;   // EPERM: the kernel does not let belfry signal it; 0: it may
};

// "4711 postgres (in uninterruptible sleep), 4712 sleep (Operation not permitted: belfry lacks CAP_KILL)".
[[nodiscard]] std::string text_of(const std::vector<Survivor>& processes);

}  // namespace belfry::system
