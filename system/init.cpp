#include "system/init.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>

#include "system/signals.hpp"

namespace belfry::system {

namespace {

using Clock = std::chrono::steady_clock;

// All but those that say that belfry itself has crashed.
sigset_t heard_signals() {
  sigset_t all;
  sigfillset(&all);
  for (const int fault : {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&all, fault);
  return all;
}

bool stops_by_terminal(int signal) { return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU; }

bool owns_terminal() {
  const pid_t foreground = ::tcgetpgrp(STDIN_FILENO);
  return foreground >= 0 && foreground == ::getpgrp();
}

int shell_code(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

class Init {
 public:
  explicit Init(const InitOptions& options) : options_(options), signals_(heard_signals()) {}

  int run();

 private:
  bool start();
  [[noreturn]] void become_command(bool foreground);
  void handle(const siginfo_t& info);
  void pass_on(int signal);
  bool reap();  // whether any child is left
  void stop_with_command();
  void end_what_is_left();
  void signal_everybody(int signal);

  const InitOptions& options_;
  sigset_t signals_;
  pid_t command_ = 0;
  bool gave_terminal_ = false;
  std::optional<int> status_;  // of CMD, once it has ended
  std::set<pid_t> asked_;      // children left behind that had their SIGTERM
};

// In the child of fork(): one thread, so the library may be used.
void Init::become_command(bool foreground) {
  ::setpgid(0, 0);
  if (foreground) ::tcsetpgrp(STDIN_FILENO, ::getpid());  // SIGTTOU is still blocked
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (sigismember(&SignalBlock::entry().ignored, signal) != 1 || signal == SIGPIPE || signal == SIGCHLD)
      ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::vector<char*> words;
  for (const std::string& word : options_.command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words.front(), words.data());
  const int why = errno;
  std::fprintf(stderr, "belfry: cannot run %s: %s\n", words.front(), std::strerror(why));
  ::_exit(why == ENOENT ? 127 : 126);
}

bool Init::start() {
  ::sigprocmask(SIG_SETMASK, &signals_, nullptr);
  ::signal(SIGCHLD, SIG_DFL);  // ignored, it would reap CMD before we hear of it
  if (options_.parent_death_signal != 0) ::prctl(PR_SET_PDEATHSIG, options_.parent_death_signal);
  if (::getpid() != 1) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  gave_terminal_ = owns_terminal();
  command_ = ::fork();
  if (command_ == 0) become_command(gave_terminal_);
  if (command_ < 0) return false;
  ::setpgid(command_, command_);  // whoever is first: a signal may have to be passed on at once
  return true;
}

void Init::pass_on(int signal) {
  if (const auto other = options_.rewrites.find(signal); other != options_.rewrites.end())
    signal = other->second;
  if (signal == 0 || status_) return;
  if (signal == SIGCONT && owns_terminal()) {
    ::tcsetpgrp(STDIN_FILENO, command_);
    gave_terminal_ = true;
  }
  ::kill(options_.single_child ? command_ : -command_, signal);
}

// What CMD's terminal did to CMD, belfry's shell has to see of belfry. The kernel ignores it for PID 1 and
// where no shell could continue us (an orphaned process group).
void Init::stop_with_command() {
  if (gave_terminal_) ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  ::raise(SIGTSTP);
  ::sigprocmask(SIG_UNBLOCK, &stop, nullptr);
  ::sigprocmask(SIG_BLOCK, &stop, nullptr);
}

bool Init::reap() {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG | WUNTRACED);
    if (pid <= 0) return pid == 0 || errno != ECHILD;
    if (WIFSTOPPED(status)) {
      if (pid == command_ && stops_by_terminal(WSTOPSIG(status))) stop_with_command();
      continue;
    }
    asked_.erase(pid);
    if (pid == command_) status_ = status;
  }
}

void Init::handle(const siginfo_t& info) {
  if (info.si_signo == SIGCHLD)
    reap();
  else
    pass_on(info.si_signo);
}

// As PID 1 everybody; else the children, to which orphans of theirs are added as they are adopted.
void Init::signal_everybody(int signal) {
  if (::getpid() == 1) {
    if (signal == SIGKILL || asked_.insert(-1).second) {
      ::kill(-1, signal);
      ::kill(-1, SIGCONT);
    }
    return;
  }
  std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  for (pid_t child = 0; children >> child;) {
    if (signal != SIGKILL && !asked_.insert(child).second) continue;
    ::kill(child, signal);
    ::kill(child, SIGCONT);  // a stopped process would not notice
  }
}

// CMD has ended: what is left gets SIGTERM, then SIGKILL. A further request to end makes it SIGKILL at once.
void Init::end_what_is_left() {
  const auto deadline = Clock::now() + options_.time_to_end;
  bool is_late = false;
  while (reap()) {
    signal_everybody(is_late ? SIGKILL : SIGTERM);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    const auto wait =
        is_late ? std::chrono::milliseconds(2000) : std::max(left, std::chrono::milliseconds(0));
    const timespec time{.tv_sec = wait.count() / 1000, .tv_nsec = wait.count() % 1000 * 1'000'000};
    const int signal = ::sigtimedwait(&signals_, nullptr, &time);
    if (signal < 0 && errno == EAGAIN && is_late) return;  // it cannot be killed
    is_late =
        is_late || Clock::now() >= deadline || signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
  }
}

int Init::run() {
  if (!start()) {
    std::fprintf(stderr, "belfry: cannot start %s: %s\n", options_.command.front().c_str(),
                 std::strerror(errno));
    return 71;
  }
  while (!status_) {
    siginfo_t info{};
    if (::sigwaitinfo(&signals_, &info) > 0) handle(info);
  }
  if (gave_terminal_) ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  end_what_is_left();
  const int code = shell_code(*status_);
  return std::ranges::count(options_.remapped_exits, code) > 0 ? 0 : code;
}

}  // namespace

int run_as_init(const InitOptions& options) { return Init(options).run(); }

}  // namespace belfry::system
