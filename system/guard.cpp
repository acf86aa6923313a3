#include "system/guard.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <span>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "channels/time/time.hpp"
#include "system/cgroup_files.hpp"
#include "system/pipe.hpp"
#include "system/proc.hpp"
#include "system/process_handle.hpp"
#include "system/process_identity.hpp"
#include "system/socket_directory.hpp"

namespace belfry::system {

namespace {

constexpr char all_is_well = 'W';
constexpr const char* name_of_guard = "bell-guard";  // not "belfry…": see guard.hpp
constexpr Duration longest_hunt = std::chrono::seconds(10);
constexpr int most_looks = 50;  // at one that has no environment to read, because it is just calling execve
constexpr int most_looks_at_a_bomb = 100;
constexpr int empty_looks = 3;  // in a row: whoever is between fork and exec is found by one of them

// --- in the guard

// One hunt. Whoever was found once stays known, by number and birth: it may have erased its environment
// since, or lost the parents below whom it was found.
class Hunt {
 public:
  Hunt(const GuardLedger& ledger, const std::string& token, ProcessIdentity belfry)
      : ledger_(ledger), token_(token), belfry_(belfry) {}

  void run() {
    const TimePoint give_up = Clock::now() + longest_hunt;
    for (int empty = 0; empty < empty_looks && Clock::now() < give_up;) {
      kill_cgroup();
      const bool somebody_unseen = kill_groups_that_cannot_be_seen();
      const bool somebody_found = kill_all_that_are_found();
      empty = somebody_unseen || somebody_found ? 0 : empty + 1;
      let_them_die();
    }
  }

 private:
  struct Seen {
    std::uint64_t born = 0;
    bool is_ours = false;
    bool decided = false;
    bool stopped = false;
    int looks_in_vain = 0;
  };

  void kill_cgroup() {
    if (const auto tree = ledger_.cgroup(); !tree.empty())
      (void)cgroup::write_control(std::string(tree), "cgroup.kill", "1");
  }

  // Of those whom /proc does not show only the number of the group is known, which is the session's. It stays
  // theirs while anybody is in it. Whoever leads it and can be seen is found by his birth instead.
  bool kill_groups_that_cannot_be_seen() {
    if (proc::is_ours() && !proc::hides_others()) return false;
    bool somebody_new = false;
    for (const pid_t leader : ledger_.leaders()) {
      if (proc::is_ours() && proc::born_at(leader)) continue;
      if (::kill(-leader, SIGKILL) == 0) somebody_new = groups_.insert(leader).second || somebody_new;
    }
    return somebody_new;
  }

  // A fork bomb would refill what is taken from it: so everybody is stopped first, and killed when nobody new
  // turns up any more. (A signal that waits for a process lets it fork no more, too.)
  bool kill_all_that_are_found() {
    if (!proc::is_ours()) return false;
    std::vector<ProcessIdentity> found;
    bool somebody_new = true;
    for (int look = 0; look < most_looks_at_a_bomb && somebody_new; ++look) {
      found = find_everybody();
      somebody_new = false;
      for (const ProcessIdentity& process : found) {
        if (!std::exchange(seen_[process.pid].stopped, true))
          somebody_new = send(process, SIGSTOP) || somebody_new;
      }
    }
    bool somebody = undecided_;
    for (const ProcessIdentity& process : found) somebody = send(process, SIGKILL) || somebody;
    return somebody;
  }

  // A dying process closes its pipes first, and tells its children last of all (PR_SET_PDEATHSIG). In between
  // a child that it has just cloned may still begin: it has belfry's environment yet, and a session that
  // belfry had no time to write down. So nothing is over before belfry is.
  [[nodiscard]] bool is_belfry_still_dying() const {
    const auto belfry = proc::describe(belfry_.pid);
    return belfry && belfry->state != 'Z' && belfry->state != 'X' && is_still(belfry_);
  }

  std::vector<ProcessIdentity> find_everybody() {
    std::vector<pid_t> ours;
    const bool belfry_is_there = is_belfry_still_dying();
    undecided_ = belfry_is_there;
    if (belfry_is_there) {
      seen_[belfry_.pid] = {.born = belfry_.born, .is_ours = true, .decided = true};
      ours.push_back(belfry_.pid);
    }
    for (const pid_t pid : proc::all()) {
      if (pid == ::getpid() || (belfry_is_there && pid == belfry_.pid)) continue;
      Seen& seen = look_at(pid);
      if (seen.is_ours) ours.push_back(pid);
      undecided_ = undecided_ || !seen.decided;
    }
    return with_all_below(std::move(ours));
  }

  // All of them are written down before the first is killed: then they are nobody's children any more.
  std::vector<ProcessIdentity> with_all_below(std::vector<pid_t> ours) {
    std::vector<ProcessIdentity> found;
    found.reserve(ours.size());
    for (const pid_t pid : ours) found.push_back({pid, seen_[pid].born});
    const std::size_t known = ours.size();
    const std::vector<pid_t> tree = proc::descendants_of(std::move(ours));
    for (const pid_t pid : std::span(tree).subspan(known)) {
      const auto process = identity_of(pid);
      if (!process) continue;
      Seen& seen = seen_[pid];
      if (seen.born != process->born) seen = Seen{.born = process->born};
      seen.is_ours = seen.decided = true;
      found.push_back(*process);
    }
    return found;
  }

  // Held before it is compared: the number may have changed hands since. False: it has ended.
  static bool send(const ProcessIdentity& process, int signal) {
    const auto held = ProcessHandle::open(process.pid);
    if (held) return !held->has_ended() && is_still(process) && held->signal(signal);
    // pidfd_open(2) is not there, or a seccomp filter forbids it.
    return held.error() != ESRCH && is_still(process) && ::kill(process.pid, signal) == 0;
  }

  Seen& look_at(pid_t pid) {
    Seen& seen = seen_[pid];
    const std::uint64_t born = proc::born_at(pid).value_or(0);
    if (seen.born != born) seen = Seen{.born = born};
    if (seen.is_ours) return seen;
    if (const auto session = proc::session_of(pid); session && ledger_.has_session(*session)) {
      seen.is_ours = seen.decided = true;
      return seen;
    }
    if (seen.decided) return seen;
    const proc::Variable found = word_of(pid);
    const bool has_gone_by = has_ended(pid) || ++seen.looks_in_vain > most_looks;
    seen.decided = found.reading != proc::Reading::undecided || has_gone_by;
    seen.is_ours = found.reading == proc::Reading::has && found.value == token_;
    return seen;
  }

  // A process whose first thread has ended is no zombie yet; its environment is read by way of the others.
  static proc::Variable word_of(pid_t pid) {
    proc::Variable found = proc::look_up(pid, run_variable);
    std::error_code error;
    std::filesystem::directory_iterator thread("/proc/" + std::to_string(pid) + "/task", error);
    for (; !error && thread != end(thread) && found.reading == proc::Reading::undecided;
         thread.increment(error))
      found = proc::look_up(std::atoi(thread->path().filename().c_str()), run_variable);
    return found;
  }

  static bool has_ended(pid_t pid) {
    const auto held = ProcessHandle::open(pid);
    return held ? held->has_ended() : held.error() == ESRCH;
  }

  // There is no loop here, and whoever was killed is somebody else's child.
  static void let_them_die() {
    const timespec moment{.tv_sec = 0, .tv_nsec = 2'000'000};
    ::nanosleep(&moment, nullptr);
  }

  const GuardLedger& ledger_;
  const std::string& token_;
  const ProcessIdentity belfry_;
  std::unordered_map<pid_t, Seen> seen_;
  bool undecided_ = false;            // whether somebody might be ours in the last look
  std::unordered_set<pid_t> groups_;  // that were killed unseen
};

// So that neither the list of processes nor `pkill -f` shows a second belfry. The words of the command line
// lie behind each other in memory (proc_pid_cmdline(5)); the first one is what glibc calls the invocation
// name.
void rename() {
  ::prctl(PR_SET_NAME, name_of_guard, 0, 0, 0);
  const std::size_t length = proc::read_file("/proc/self/cmdline").size();
  if (length == 0) return;
  char* const words = program_invocation_name;
  std::memset(words, 0, length);
  std::copy_n(name_of_guard, std::min(length - 1, std::strlen(name_of_guard)), words);
}

void leave_everything_but(int first, int second) {
  ::dup2(first, 0);
  ::dup2(second, 1);
  ::syscall(SYS_close_range, 2, ~0U, 0);
  (void)::chdir("/");
  ::setsid();
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
}

[[noreturn]] void be_the_guard(int from_belfry, int to_belfry, const GuardLedger& ledger,
                               const std::string& token, ProcessIdentity belfry) {
  leave_everything_but(from_belfry, to_belfry);
  rename();
  const pid_t self = ::getpid();
  (void)::write(1, &self, sizeof self);
  char word = 0;
  ssize_t got = 0;
  do got = ::read(0, &word, 1);
  while (got < 0 && errno == EINTR);
  if (got != 1 || word != all_is_well) Hunt(ledger, token, belfry).run();
  ::_exit(0);
}

}  // namespace

Guard::Guard() : token_(unguessable_name()) {}

std::expected<std::unique_ptr<Guard>, int> Guard::start() {
  if (::getpid() == 1) return nullptr;
  std::unique_ptr<Guard> guard(new Guard());
  if (const int error = guard->fork_it(); error != 0) return std::unexpected(error);
  return guard;
}

// Twice, so that the guard is init's child and not belfry's, before belfry becomes a subreaper. What the
// second fork says is the exit code of the process between.
int Guard::fork_it() {
  auto down = make_pipe();
  auto up = make_pipe();
  if (!down || !up) return down ? up.error() : down.error();
  ::fcntl(down->read_end.get(), F_SETFL, 0);
  const ProcessIdentity self = identity_of(own_pid()).value_or(ProcessIdentity{});
  const pid_t between = ::fork();
  if (between < 0) return errno;
  if (between == 0) {
    const pid_t guard = ::fork();
    if (guard != 0) ::_exit(guard < 0 ? errno : 0);
    be_the_guard(down->read_end.get(), up->write_end.get(), ledger_, token_, self);
  }
  siginfo_t ended{};
  while (::waitid(P_PID, static_cast<id_t>(between), &ended, WEXITED) != 0 && errno == EINTR) {
  }
  if (ended.si_code == CLD_EXITED && ended.si_status != 0) return ended.si_status;
  up->write_end.close();
  to_guard_ = std::move(down->write_end);
  from_guard_ = std::move(up->read_end);
  ::fcntl(from_guard_.get(), F_SETFL, 0);
  // Empty: it has been killed already, and nobody has the other end.
  return ::read(from_guard_.get(), &pid_, sizeof pid_) == sizeof pid_ ? 0 : ESRCH;
}

void Guard::stand_down() {
  if (!to_guard_) return;
  (void)::write(to_guard_.get(), &all_is_well, 1);
  to_guard_.close();
  char end = 0;
  while (::read(from_guard_.get(), &end, 1) < 0 && errno == EINTR) {
  }
  from_guard_.close();
  pid_ = 0;
}

Guard::~Guard() { stand_down(); }

}  // namespace belfry::system
