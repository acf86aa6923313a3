#include "system/keeper.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "system/proc.hpp"

namespace belfry::system {

namespace {

// A tree that forks while it is walked loses a generation a round.
constexpr int rounds = 8;

// Owner: be_keeper_if_asked. Lifecycle: as long as anybody of the service lives. Cancellation: none.
class Keeper {
 public:
  Keeper(pid_t program, bool outlives_belfry) : program_(program), outlives_belfry_(outlives_belfry) {
    // Nobody but belfry has anything to say to it: what is blocked stays pending, and SIGKILL is the
    // exception.
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    ::signal(SIGCHLD, SIG_DFL);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    signals_ = ::signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
  }

  // Until nobody is left.
  void keep() {
    for (;;) {
      report();
      if (condemned_) kill_below();
      if (reap_others() && told_) break;
      wait();
    }
    siginfo_t last{};
    ::waitid(P_PID, static_cast<id_t>(program_), &last, WEXITED);
  }

 private:
  void report() {
    siginfo_t info{};
    const auto id = static_cast<id_t>(program_);
    if (told_ || ::waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    const KeeperReport report{info.si_code, info.si_status};
    ::send(keeper_socket, &report, sizeof report, MSG_NOSIGNAL);
    told_ = true;
  }

  // True when only the service's process is left.
  bool reap_others() {
    bool alone = true;
    for (const pid_t pid : proc::children_of(::getpid())) {
      if (pid == program_) continue;
      siginfo_t info{};
      const bool ended =
          ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) != 0 || info.si_pid != 0;
      alone = alone && ended;
    }
    // Who was adopted while the list was read is a child of one that has just been reaped.
    return alone && (!told_ || proc::children_of(::getpid()).size() <= 1);
  }

  // Never itself, and never by group: each is named by its place below.
  void kill_below() {
    for (int round = 0; round < rounds; ++round) {
      bool somebody = false;
      for (const pid_t pid : proc::descendants_of(proc::children_of(::getpid()))) {
        const auto left = proc::describe(pid);
        if (!left || left->state == 'Z') continue;
        somebody = ::kill(pid, SIGKILL) == 0 || somebody;
      }
      if (!somebody) return;
    }
  }

  void wait() {
    std::array<pollfd, 2> sources{{{signals_, POLLIN, 0}, {listens_ ? keeper_socket : -1, POLLIN, 0}}};
    ::poll(sources.data(), sources.size(), -1);
    signalfd_siginfo drained[16];
    while (::read(signals_, drained, sizeof drained) > 0) {
    }
    if (sources[1].revents == 0) return;
    char word = 0;
    const ssize_t got = ::recv(keeper_socket, &word, 1, MSG_DONTWAIT);
    if (got == 1 && word == kill_everybody) condemned_ = true;
    if (got != 0) return;
    listens_ = false;
    condemned_ = condemned_ || !outlives_belfry_;
  }

  pid_t program_;
  bool outlives_belfry_;
  int signals_ = -1;
  bool told_ = false;
  bool condemned_ = false;
  bool listens_ = true;
};

}  // namespace

// argv: the name, keeper_word, "keep" or "kill", the pid of the service's process.
void be_keeper_if_asked(int argc, char** argv) {
  if (argc != 4 || std::strcmp(argv[1], keeper_word) != 0) return;
  ::prctl(PR_SET_NAME, "belfry-keeper", 0, 0, 0);
  Keeper keeper(static_cast<pid_t>(std::atol(argv[3])), std::strcmp(argv[2], "keep") == 0);
  keeper.keep();
  ::_exit(0);
}

}  // namespace belfry::system
