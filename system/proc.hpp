// What the kernel says of other processes, mostly in /proc. Each is a look at a moment: the process may be
// gone by the time the answer is read, and then the answer is "nothing". Between two looks its number may
// even have been given to another process; system/process_identity.hpp and system/process_handle.hpp are for
// those whom that would hurt.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "system/process.hpp"

namespace belfry::system::proc {

// The children of all threads of `pid`.
std::vector<pid_t> children_of(pid_t pid);

// `roots` and everything below them, roots first.
std::vector<pid_t> descendants_of(std::vector<pid_t> roots);

// Whether /proc is there and shows this process's own PID namespace. Otherwise nothing that is said here
// of a number is about the process that the kernel would signal by it, and the answers are "nothing".
bool is_ours();

// Whether other users' processes are not shown: /proc is mounted with hidepid (proc(5)), and belfry has
// neither CAP_SYS_PTRACE nor the group that is let through. Looked up once.
bool hides_others();

// The value of a variable in the environment that the process was started with. Empty optional: the
// environment cannot be read or does not have it.
std::optional<std::string> variable_of(pid_t pid, std::string_view name);

// The same, for whoever must not take "cannot be read now" for "does not have it".
enum class Reading : std::uint8_t {
  has,
  lacks,
  undecided,  // it is just calling execve, or is just dying: it has no memory to read, and says nothing
  hidden,     // another user's, and belfry may not look (no CAP_SYS_PTRACE), or not even see it (hidepid)
};
struct Variable {
  Reading reading = Reading::undecided;
  std::string value;
};
Variable look_up(pid_t pid, std::string_view name);

// Every process of the host that is visible here, in the order of their numbers.
std::vector<pid_t> all();

// Whether it has another network namespace than belfry. False when that may not be looked at.
bool has_network_of_its_own(pid_t pid);

// Inodes of the pipes that the process has open.
std::vector<ino_t> pipes_of(pid_t pid);

// The effective user of a process whose descriptors may not be looked at: root without CAP_SYS_PTRACE, as in
// containers, sees those of its own user only. Empty: they can be seen, or the process is gone.
std::optional<uid_t> user_who_hides(pid_t pid);

// The session that the process is in; nothing when it is gone. 0: the leader of its session is not in this
// PID namespace, as below `docker exec`, `nsenter` and many CI runners.
std::optional<pid_t> session_of(pid_t pid);
// Its process group; 0: it is gone.
pid_t group_of(pid_t pid);

std::optional<pid_t> parent_of(pid_t pid);

// The nearest process above `pid`, and itself not among them, of which `is_it` holds; 0: there is none. Goes
// up `most` steps: a chain in which numbers change hands meanwhile need not have an end.
inline constexpr int longest_ancestry = 64;
template <class Predicate>
pid_t nearest_above(pid_t pid, Predicate is_it, int most = longest_ancestry) {
  for (int step = 0; step < most && pid > 1; ++step) {
    pid = parent_of(pid).value_or(0);
    if (pid > 0 && is_it(pid)) return pid;
  }
  return 0;
}

// When it was started, in clock ticks since the boot (system/process_identity.hpp).
std::optional<std::uint64_t> born_at(pid_t pid);
// Grows with every child that the process has waited for: the page faults of those (cminflt and cmajflt of
// proc_pid_stat(5)); nobody runs without any. 0: it cannot be seen.
std::uint64_t faults_of_buried(pid_t pid);

std::optional<Survivor> describe(pid_t pid);
// Of a crowd no more are looked at.
inline constexpr std::size_t most_survivors = 256;
// Of the roots and whoever is below them those who are there and no zombies: `most_survivors` at most, and
// nobody only when nobody is left.
std::vector<Survivor> some_below(std::vector<pid_t> roots);

// A process that has one of these sockets open. Looks at every process of the host whose descriptors may be
// read: for a message to a person, never on the way of something that is awaited. Gives up after
// this much of the thread's processor time.
std::optional<Survivor> holder_of(const std::vector<ino_t>& sockets, std::chrono::milliseconds patience);

// True from the moment the process begins to exit, before its descriptors are closed, and when it is gone.
bool is_exiting(pid_t pid);
// That, and already when SIGKILL has been sent and the process has not had a processor since.
bool is_dying(pid_t pid);

// "11024 11025 " → {11024, 11025}
void parse_pids(std::string_view text, std::vector<pid_t>& into);

// A whole small file; empty when it cannot be read.
std::string read_file(const std::string& path);

}  // namespace belfry::system::proc
