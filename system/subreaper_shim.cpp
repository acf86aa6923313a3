#include "system/subreaper_shim.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <unordered_set>
#include <vector>

#include "system/proc.hpp"
#include "system/syscalls.hpp"

namespace belfry::system {

namespace {

// A tree that forks while it is walked loses a generation a round.
constexpr int rounds = 8;

class SubreaperShim {
 public:
  SubreaperShim(pid_t program, bool outlives_belfry) : program_(program), outlives_belfry_(outlives_belfry) {
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
      const std::vector<pid_t> left = reap_others();
      if (told_ && left.size() <= 1) break;
      if (condemned_) kill_below(left);
      wait();
    }
    siginfo_t last{};
    ::waitid(P_PID, static_cast<id_t>(program_), &last, WEXITED);
  }

 private:
  void report() {
    siginfo_t info{};
    const auto id = static_cast<id_t>(program_);
    rusage counted{};
    if (told_ || Syscalls::real().waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT, &counted) < 0 ||
        info.si_pid == 0)
      return;
    const ShimReport report{.code = info.si_code, .status = info.si_status, .usage = usage_of(counted)};
    ::send(shim_socket, &report, sizeof report, MSG_NOSIGNAL);
    told_ = true;
  }

  // Those who are left. Who was adopted while the list was read is a child of one that has just been reaped:
  // so it is read again until nobody ends.
  std::vector<pid_t> reap_others() {
    for (;;) {
      std::vector<pid_t> children = proc::children_of(::getpid());
      const std::size_t ended = std::erase_if(children, [this](pid_t pid) {
        siginfo_t info{};
        if (pid == program_ || ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) != 0 ||
            info.si_pid == 0)
          return false;
        killed_.erase(pid);
        return true;
      });
      if (ended == 0) return children;
    }
  }

  // Never itself, and never by group: each is named by its place below. Whoever is missed, because its parent
  // forked it and was killed while the tree was walked, is a child of ours when that parent is reaped.
  void kill_below(const std::vector<pid_t>& children) {
    for (const pid_t pid : children) ::kill(pid, SIGKILL);  // again: the number may be somebody else's by now
    std::vector<pid_t> fresh;
    std::ranges::copy_if(children, std::back_inserter(fresh),
                         [&](pid_t pid) { return !killed_.contains(pid); });
    for (int round = 0; round < rounds && !fresh.empty(); ++round) {
      bool somebody = false;
      for (const pid_t pid : proc::descendants_of(fresh)) {
        if (!killed_.insert(pid).second) continue;
        ::kill(pid, SIGKILL);
        somebody = true;
      }
      if (!somebody) return;
    }
  }

  void wait() {
    std::array<pollfd, 2> sources{{{signals_, POLLIN, 0}, {listens_ ? shim_socket : -1, POLLIN, 0}}};
    ::poll(sources.data(), sources.size(), -1);
    signalfd_siginfo drained[16];
    while (::read(signals_, drained, sizeof drained) > 0) {
    }
    if (sources[1].revents == 0) return;
    char word = 0;
    const ssize_t got = ::recv(shim_socket, &word, 1, MSG_DONTWAIT);
    if (got == 1 && word == kill_everybody) condemned_ = true;
    if (got != 0) return;
    listens_ = false;
    condemned_ = condemned_ || !outlives_belfry_;
  }

  pid_t program_;
  std::unordered_set<pid_t> killed_;  // whose descendants need not be walked again
  bool outlives_belfry_;
  int signals_ = -1;
  bool told_ = false;
  bool condemned_ = false;
  bool listens_ = true;
};

}  // namespace

// argv: the name, shim_word, "keep" or "kill", the pid of the service's process.
void be_shim_if_asked(int argc, char** argv) {
  if (argc != 4 || std::strcmp(argv[1], shim_word) != 0) return;
  ::prctl(PR_SET_NAME, "belfry-shim", 0, 0, 0);
  SubreaperShim shim(static_cast<pid_t>(std::atol(argv[3])), std::strcmp(argv[2], "keep") == 0);
  shim.keep();
  ::_exit(0);
}

}  // namespace belfry::system
