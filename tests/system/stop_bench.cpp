// What the proof of a stop costs: from SIGKILL to "nothing is left of it", one process after the other,
// while N others run. Beside it a bare loop: kill, epoll on a signalfd, waitid until empty, no proof.
// Times are of this thread's processor, which a busy machine disturbs less than the clock on the wall.
// Usage: stop_bench [running processes]
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "channels/asio.hpp"
#include "channels/loop.hpp"
#include "system/descriptors.hpp"
#include "system/native.hpp"
#include "system/orphan_thread.hpp"
#include "system/signals.hpp"
#include "system/spawner.hpp"

namespace {

using namespace belfry::system;

Launch sleeper() {
  Launch launch;
  launch.set_command(std::vector<std::string>{"/bin/sleep", "1000"});
  launch.set_environment(BaseEnvironment::inherited(environ), {});
  launch.set_marker("bench/sleep#1");
  return launch;
}

// The last ones are still in their dynamic loader, and would compete for the processors.
void settle() { sleep(2); }

double processor_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double bare(int count) {
  Spawner spawner(Syscalls::real());
  Launch launch = sleeper();
  std::vector<pid_t> pids;
  for (int i = 0; i < count; ++i) pids.push_back(spawner.spawn(launch).value());
  int signals = signalfd(-1, &SignalBlock::signals(), SFD_NONBLOCK | SFD_CLOEXEC);
  int poll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(poll, EPOLL_CTL_ADD, signals, &event);
  settle();
  double start = processor_us();
  for (std::size_t i = pids.size(); i-- > 0;) {
    kill(pids[i], SIGKILL);
    for (bool gone = false; !gone;) {
      epoll_wait(poll, &event, 1, -1);
      signalfd_siginfo info[8];
      if (read(signals, info, sizeof info) < 0) continue;
      for (;;) {
        siginfo_t exited{};
        if (waitid(P_ALL, 0, &exited, WEXITED | WNOHANG) != 0 || exited.si_pid == 0) break;
        gone = gone || exited.si_pid == pids[i];
      }
    }
  }
  double result = (processor_us() - start) / count;
  close(signals);
  close(poll);
  return result;
}

struct Chain final : ExitWatcher, TreeWatcher {
  Chain(belfry::Loop& l, NativeProcesses& p) : loop(l), processes(p) {}
  void kill_next() {
    TreeId tree{pids.back(), "bench/sleep#1", 0};
    processes.watch_tree(tree, *this);
    processes.signal(tree, SIGKILL, Scope::leader);
  }
  void on_exit(pid_t, ExitStatus) override {}
  void on_tree_empty(pid_t) override {
    pids.pop_back();
    if (!pids.empty()) kill_next();
  }
  belfry::Loop& loop;
  NativeProcesses& processes;
  std::vector<pid_t> pids;
};

double proven(int count) {
  belfry::Loop loop;
  Signals signals(loop);
  NativeProcesses processes(loop, signals);
  Chain chain(loop, processes);
  Launch launch = sleeper();
  for (int i = 0; i < count; ++i) chain.pids.push_back(processes.spawn(launch, chain).value());
  loop.run_until_idle();
  settle();
  double start = processor_us();
  chain.kill_next();
  while (!chain.pids.empty()) loop.io().run_one();
  return (processor_us() - start) / count;
}

}  // namespace

int main(int argc, char** argv) {
  int count = argc > 1 ? std::atoi(argv[1]) : 1000;
  SignalBlock block;
  raise_descriptor_limit();
  for (int round = 0; round < 3; ++round) {
    double floor = bare(count);
    double alone = proven(count);
    double beside = 0;
    run_beside_orphan_thread([&] {
      beside = proven(count);
      return 0;
    });
    std::printf(
        "%d processes, us a stop: bare %.1f   with proof %.1f (%.2f)   beside an orphan_thread %.1f (%.2f)\n",
        count, floor, alone, alone / floor, beside, beside / floor);
  }
}
