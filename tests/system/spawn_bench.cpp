// What a start costs beyond the bare kernel: belfry's spawner beside clone(CLONE_VM | CLONE_VFORK) and
// execve alone, and beside the same loop with the work any supervisor must do (session, /dev/null, a log
// pipe, close-on-exec), interleaved in one run. Usage: spawn_bench [starts] [descriptors open in parent]
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "system/descriptors.hpp"
#include "system/launch.hpp"
#include "system/signals.hpp"
#include "system/spawner.hpp"

namespace {

using namespace belfry::system;

char program[] = "/bin/true";
char* arguments[] = {program, nullptr};
alignas(16) char stack[65536];
int log_pipe[2];

int bare_child(void*) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(program, arguments, environ);
  _exit(127);
}

int working_child(void*) {
  setsid();
  dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
  dup2(log_pipe[1], 1);
  dup2(log_pipe[1], 2);
  return bare_child(nullptr);
}

pid_t cloned(int (*entry)(void*)) {
  return clone(entry, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr);
}

struct Figures {
  const char* name;
  std::vector<double> start, whole;
  static double median(std::vector<double> v) {
    std::ranges::sort(v);
    return v[v.size() / 2];
  }
};

template <class F>
void measure(Figures& into, F start) {
  using std::chrono::steady_clock;
  auto us = [](auto d) { return std::chrono::duration<double, std::micro>(d).count(); };
  auto before = steady_clock::now();
  pid_t pid = start();
  auto started = steady_clock::now();
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) std::exit(1);
  into.start.push_back(us(started - before));
  into.whole.push_back(us(steady_clock::now() - before));
}

}  // namespace

int main(int argc, char** argv) {
  int starts = argc > 1 ? std::atoi(argv[1]) : 2000;
  int extra = argc > 2 ? std::atoi(argv[2]) : 0;
  SignalBlock block;
  raise_descriptor_limit();
  Spawner spawner(Syscalls::real());
  for (int i = 0; i < extra; ++i) {
    if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return 1;
  }
  if (pipe2(log_pipe, O_CLOEXEC) != 0) return 1;

  Launch launch;
  launch.set_command(std::vector<std::string>{"/bin/true"});
  launch.set_environment(BaseEnvironment::inherited(environ), std::vector<NameValue>{{"PORT", "8080"}});
  launch.set_marker("bench/true#1");
  launch.standard_output = launch.standard_error = log_pipe[1];

  Figures bare{"bare clone", {}, {}}, working{"bare + session, null, log pipe", {}, {}},
      ours{"spawner", {}, {}};
  for (int i = 0; i < starts; ++i) {
    measure(bare, [] { return cloned(bare_child); });
    measure(ours, [&] { return spawner.spawn(launch).value_or(-1); });
    measure(working, [] { return cloned(working_child); });
  }
  double floor_start = Figures::median(bare.start), floor_whole = Figures::median(bare.whole);
  std::printf("%d starts of /bin/true, %d more descriptors open, table unshared: %s; medians, us\n", starts,
              extra, spawner.unshares() ? "yes" : "no");
  for (const Figures* f : {&bare, &working, &ours}) {
    double start = Figures::median(f->start), whole = Figures::median(f->whole);
    std::printf("%-32s until exec %7.1f (%.2f)   until reaped %7.1f (%.2f)\n", f->name, start,
                start / floor_start, whole, whole / floor_whole);
  }
}
