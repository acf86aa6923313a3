#include "system/init.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <utility>

#include "system/owned_fd.hpp"
#include "system/pipe.hpp"
#include "system/proc.hpp"
#include "system/signals.hpp"

namespace belfry::system {

namespace {

// SIGSEGV and its like are passed on, too, when somebody sends them. A fault of belfry's own does not wait to
// be heard: Linux kills whoever has one while it is blocked (force_sig() in the kernel).
sigset_t every_signal() {
  sigset_t all;
  sigfillset(&all);
  return all;
}

constexpr Duration sigkill_takes = std::chrono::seconds(2);

bool stops_by_terminal(int signal) { return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU; }

bool owns_terminal() {
  const pid_t foreground = ::tcgetpgrp(STDIN_FILENO);
  return foreground >= 0 && foreground == ::getpgrp();
}

class Init {
 public:
  explicit Init(const InitOptions& options) : options_(options), signals_(every_signal()) {}

  std::expected<ExitStatus, NotRun> run();

 private:
  int start();  // 0, or the errno
  void hear_of_the_parents_death() const;
  [[noreturn]] void become_command(bool foreground, int refusal, pid_t init);
  void pass_on(int signal);
  bool reap();  // whether any child is left
  void stop_with_command(int signal);
  void end_what_is_left();
  void signal_everybody(int signal);

  const InitOptions& options_;
  sigset_t signals_;
  pid_t command_ = 0;
  bool gave_terminal_ = false;
  OwnedFd refusal_;                  // what execvp(3) said against CMD, if anything
  std::optional<ExitStatus> ended_;  // CMD's end
  std::set<pid_t> asked_;            // children left behind that had their SIGTERM
};

// In the child of fork(): one thread, so the library may be used. It dies with belfry; as PID 1 the kernel
// sees to that. A guard (guard.hpp) would end what CMD has started as well, and take as long to make as all
// the rest.
void Init::become_command(bool foreground, int refusal, pid_t init) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != init) ::_exit(1);
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
  words.reserve(options_.command.size() + 1);
  for (const std::string& word : options_.command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words.front(), words.data());
  const int why = errno;
  (void)::write(refusal, &why, sizeof why);
  ::_exit(1);
}

// A parent that dies before the kernel knows is told of by hand; the signal is blocked, so it waits for the
// loop.
void Init::hear_of_the_parents_death() const {
  if (options_.parent_death_signal == 0) return;
  const pid_t parent = ::getppid();
  ::prctl(PR_SET_PDEATHSIG, options_.parent_death_signal);
  if (::getppid() != parent) ::raise(options_.parent_death_signal);
}

int Init::start() {
  ::sigprocmask(SIG_SETMASK, &signals_, nullptr);
  ::signal(SIGCHLD, SIG_DFL);  // ignored, it would reap CMD before we hear of it
  hear_of_the_parents_death();
  if (::getpid() != 1) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  auto pipe = make_pipe();
  if (!pipe) return pipe.error();
  refusal_ = std::move(pipe->read_end);
  gave_terminal_ = owns_terminal();
  const pid_t self = ::getpid();
  command_ = ::fork();
  if (command_ == 0) become_command(gave_terminal_, pipe->write_end.get(), self);
  if (command_ < 0) return errno;
  ::setpgid(command_, command_);  // whoever is first: a signal may have to be passed on at once
  return 0;
}

void Init::pass_on(int signal) {
  if (const auto other = options_.rewrites.find(signal); other != options_.rewrites.end())
    signal = other->second;
  if (signal == 0 || ended_) return;
  if (signal == SIGCONT && owns_terminal()) {
    ::tcsetpgrp(STDIN_FILENO, command_);
    gave_terminal_ = true;
  }
  ::kill(options_.single_child ? command_ : -command_, signal);
}

// What CMD's terminal did to CMD, belfry's shell has to see of belfry. The kernel ignores it for PID 1 and
// where no shell could continue us (an orphaned process group); in our place CMD would not have been stopped
// by a Ctrl-Z either, so it goes on.
void Init::stop_with_command(int signal) {
  if (gave_terminal_) ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  ::raise(SIGTSTP);
  ::sigprocmask(SIG_UNBLOCK, &stop, nullptr);
  ::sigprocmask(SIG_BLOCK, &stop, nullptr);
  sigset_t pending;
  ::sigpending(&pending);
  const bool was_continued = sigismember(&pending, SIGCONT) == 1;
  if (signal == SIGTSTP && !was_continued) pass_on(SIGCONT);
}

bool Init::reap() {
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG) != 0) return errno != ECHILD;
    if (info.si_pid == 0) return true;
    const bool is_command = info.si_pid == command_;
    if (info.si_code == CLD_STOPPED) {
      if (is_command && stops_by_terminal(info.si_status)) stop_with_command(info.si_status);
      continue;
    }
    asked_.erase(info.si_pid);
    if (is_command) ended_ = exit_status(info.si_code, info.si_status);
  }
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
  for (const pid_t child : proc::children_of(::getpid())) {
    if (signal != SIGKILL && !asked_.insert(child).second) continue;
    ::kill(child, signal);
    ::kill(child, SIGCONT);  // a stopped process would not notice
  }
}

// CMD has ended: what is left gets SIGTERM, then SIGKILL. A further request to end makes it SIGKILL at once.
// Without /proc nobody but PID 1 can name them, and to wait for whom one cannot ask is of no use.
void Init::end_what_is_left() {
  if (::getpid() != 1 && !proc::is_ours()) return;
  const TimePoint deadline = saturating_add(Clock::now(), options_.kill_after);
  bool is_late = false;
  while (reap()) {
    signal_everybody(is_late ? SIGKILL : SIGTERM);
    const Duration wait = is_late ? sigkill_takes : std::max(deadline - Clock::now(), Duration::zero());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
    const timespec time{.tv_sec = seconds.count(), .tv_nsec = (wait - seconds).count()};
    const int signal = ::sigtimedwait(&signals_, nullptr, &time);
    if (signal < 0 && errno == EAGAIN && is_late) return;  // it cannot be killed
    is_late =
        is_late || Clock::now() >= deadline || signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
  }
}

std::expected<ExitStatus, NotRun> Init::run() {
  if (const int error = start(); error != 0)
    return std::unexpected(NotRun{.errnum = error, .by_exec = false});
  while (!ended_) {
    const int signal = ::sigwaitinfo(&signals_, nullptr);
    if (signal == SIGCHLD)
      reap();
    else if (signal > 0)
      pass_on(signal);
  }
  if (gave_terminal_) ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  end_what_is_left();
  int error = 0;
  if (::read(refusal_.get(), &error, sizeof error) == sizeof error)
    return std::unexpected(NotRun{.errnum = error, .by_exec = true});
  return *ended_;
}

}  // namespace

std::expected<ExitStatus, NotRun> run_as_init(const InitOptions& options) { return Init(options).run(); }

}  // namespace belfry::system
