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
// happen, and job control, so that Ctrl-Z still suspends belfry. SIGTTOU is: belfry takes the terminal
// back from a command that had it, and writes to it, while it is in the background.
sigset_t blocked_signals() {
  sigset_t set;
  sigfillset(&set);
  for (int signo : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGTSTP, SIGTTIN, SIGCONT}) {
    sigdelset(&set, signo);
  }
  return set;
}

}  // namespace

const sigset_t& SignalBlock::signals() {
  static const sigset_t set = blocked_signals();
  return set;
}

const EntryDispositions& SignalBlock::entry() {
  static const EntryDispositions found = look_at_dispositions();
  return found;
}

void SignalBlock::block() { pthread_sigmask(SIG_SETMASK, &signals(), nullptr); }

SignalBlock::SignalBlock() {
  entry();
  sigset_t set = signals();
  pthread_sigmask(SIG_SETMASK, &set, &old_mask_);
  signal(SIGPIPE, SIG_IGN);
  // If whoever started us ignored it, the kernel would reap behind our back. Stops are nobody's business.
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  action.sa_flags = SA_NOCLDSTOP;
  sigaction(SIGCHLD, &action, nullptr);
}

SignalBlock::~SignalBlock() { pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr); }

}  // namespace belfry::system
