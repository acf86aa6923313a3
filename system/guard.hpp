// A process beside belfry that ends belfry's services when belfry has been killed.
//
// The problem: SIGKILL, the kernel's OOM killer or a crash leave no time to stop anybody. PR_SET_PDEATHSIG
// takes the direct children along, and nobody below them; what they have left becomes init's and goes on for
// ever, on the ports that the next start needs.
//
// The contract: within a second of belfry's death no process that it started, directly or not, is left. The
// guard knows them by a word in their environment (BELFRY_RUN), by the session that belfry began for each, by
// the cgroup, and by their place below one of these; it kills, and looks again, until it finds nobody. What
// has left its session *and* erased its environment *and* lost its parents is not found.
//
//     belfry ──(a pipe, which ends with belfry)── guard
//
// It is forked before belfry has read a file or begun a thread, so it shares nearly all its memory; it sleeps
// until the pipe ends. Without /proc it knows the process groups of the services, and no more. It is
// nobody's child that belfry could take for an orphan, has a session of its own,
// so that signals to belfry's terminal and group pass it by, and a name in which `pkill belfry` does not find
// belfry's.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "system/guard_ledger.hpp"
#include "system/owned_fd.hpp"

namespace belfry::system {

// In the environment of everything that a guarded belfry starts.
inline constexpr const char* run_variable = "BELFRY_RUN";

// Owner: main, around the daemon. Lifecycle: start() while there is one thread; the destructor tells the
// guard that
//   all is well and waits until it is gone. Thread rules: made and destroyed on the first thread.
class Guard {
 public:
  // Null where the kernel does the same: belfry is pid 1, and its namespace ends with it. As the main process
  // of a unit it has one, whatever KillMode says: control-group, the default, gives the services 90 s.
  // An errno: there is no process for it, which is no reason not to run.
  static std::expected<std::unique_ptr<Guard>, int> start();
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // The services are to go on when belfry is gone: there is nothing to guard.
  void stand_down();
  // The value of BELFRY_RUN: nobody else's, on this host or another.
  [[nodiscard]] const std::string& token() const { return token_; }
  [[nodiscard]] GuardLedger& ledger() { return ledger_; }
  [[nodiscard]] pid_t pid() const { return pid_; }  // 0: it stood down

 private:
  Guard();
  int fork_it();  // 0, or the errno

  GuardLedger ledger_;
  std::string token_;
  OwnedFd to_guard_;    // its end, without a word before, is belfry's death
  OwnedFd from_guard_;  // its end is the guard's
  pid_t pid_ = 0;
};

}  // namespace belfry::system
