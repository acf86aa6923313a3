#include <pthread.h>
#include <signal.h>

#include "system/signals.hpp"

namespace belfry::system {

namespace {

EntryDispositions look_at_dispositions() {
  EntryDispositions found{};
  sigemptyset(&found.ignored);
  for (int signo = 1; signo < NSIG; ++signo) {
    struct sigaction action{};
    if (sigaction(signo, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      sigaddset(&found.ignored, signo);
  }
  sigaddset(&found.ignored, SIGPIPE);
  return found;
}

// Blocked: everything that could interrupt a clone. Not blocked: faults, which must strike where they
// happen, and job control, so that Ctrl-Z still suspends belfry.
sigset_t to_block() {
  sigset_t set;
  sigfillset(&set);
  for (int signo :
       {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT}) {
    sigdelset(&set, signo);
  }
  return set;
}

}  // namespace

const EntryDispositions& SignalBlock::entry() {
  static const EntryDispositions found = look_at_dispositions();
  return found;
}

SignalBlock::SignalBlock() {
  entry();
  sigset_t set = to_block();
  pthread_sigmask(SIG_SETMASK, &set, &old_mask_);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_DFL);  // ignored by whoever started us: the kernel would reap behind our back
}

SignalBlock::~SignalBlock() { pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr); }

}  // namespace belfry::system
