// From SIGKILL to "nobody is left" of a tree of processes, a third of them in sessions of their own. The
// floor in the same run: the tree in a cgroup, cgroup.kill, a poll of cgroup.events until it says `populated
// 0`, nothing else. Beside it what belfry does: by groups and attributed orphans, by a cgroup leaf, by a
// shim. Usage: tree_bench [processes [rounds]]; wall clock, medians, rounds interleaved.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "channels/asio.hpp"
#include "channels/loop.hpp"
#include "system/cgroup.hpp"
#include "system/cgroup_files.hpp"
#include "system/cgroup_place.hpp"
#include "system/native.hpp"
#include "system/orphan_thread.hpp"
#include "system/proc.hpp"
#include "system/signals.hpp"
#include "system/spawner.hpp"
#include "system/subreaper_shim.hpp"

namespace {

using namespace belfry::system;

double now_us() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// This program again, as the tree: says a byte when everybody is in place.
[[noreturn]] void be_tree(int count) {
  for (int i = 1; i < count; ++i) {
    if (::fork() == 0) {
      if (i % 3 == 0) ::setsid();
      for (;;) ::pause();
    }
  }
  if (::write(STDOUT_FILENO, "x", 1) != 1) std::exit(1);
  for (;;) ::pause();
}

struct Tree {
  Launch launch;
  int ends[2];
  explicit Tree(int count) {
    if (::pipe(ends) != 0) std::abort();
    launch.set_command(std::vector<std::string>{"/proc/self/exe", "--tree", std::to_string(count)});
    launch.set_environment(BaseEnvironment::inherited(environ), {});
    launch.set_marker("bench/tree#1");
    launch.standard_output = ends[1];
  }
  ~Tree() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void wait_until_grown() const {
    char byte = 0;
    if (::read(ends[0], &byte, 1) != 1) std::abort();
  }
};

struct Watcher final : ExitWatcher, TreeWatcher {
  void on_exit(pid_t, ExitStatus) override {}
  void on_tree_empty(pid_t) override { empty = true; }
  bool empty = false;
};

enum class Way { bare, groups, leaf, shim };

double bare(CgroupTree& cgroups, int count) {
  Spawner spawner(Syscalls::real());
  auto leaf = std::move(cgroups.make_leaf("bare").value());
  Tree tree(count);
  tree.launch.cgroup = leaf->descriptor().value();
  const pid_t leader = spawner.spawn(tree.launch).value();
  tree.wait_until_grown();
  const int events = ::open((leaf->directory() + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC);
  const double start = now_us();
  cgroup::write_control(leaf->directory(), "cgroup.kill", "1");
  for (;;) {
    char text[64] = {};
    if (::pread(events, text, sizeof text - 1, 0) > 0 && std::strstr(text, "populated 0") != nullptr) break;
    pollfd changed{events, POLLPRI, 0};
    ::poll(&changed, 1, -1);
  }
  const double took = now_us() - start;
  ::close(events);
  ::waitpid(leader, nullptr, 0);
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  return took;
}

double proven(Way way, CgroupTree& cgroups, int count) {
  belfry::Loop loop;
  Signals signals(loop);
  NativeProcesses processes(loop, signals);
  Watcher watcher;
  Tree tree(count);
  std::unique_ptr<CgroupLeaf> leaf;
  if (way == Way::leaf) {
    leaf = std::move(cgroups.make_leaf("leaf").value());
    tree.launch.cgroup = leaf->descriptor().value();
  }
  tree.launch.isolate = way == Way::shim;
  TreeId id{processes.spawn(tree.launch, watcher).value(), "bench/tree#1", 0,
            leaf ? std::string_view(leaf->directory()) : std::string_view()};
  tree.wait_until_grown();
  loop.run_until_idle();
  const double start = now_us();
  processes.watch_tree(id, watcher);
  processes.signal(id, SIGKILL, Scope::tree);
  while (!watcher.empty) {
    loop.run_until_idle();
    if (!watcher.empty) loop.io().run_one();
  }
  return now_us() - start;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int measure(int count, int rounds) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const auto own = cgroup::own_directory();
  auto cgroups = own ? CgroupTree::open(*own, "bench")
                     : std::unexpected(belfry::Error(belfry::Error::Kind::refused, "there is no cgroup v2"));
  if (!cgroups) {
    std::fprintf(stderr, "cannot measure: %s\n", cgroups.error().text().c_str());
    return 1;
  }
  std::vector<double> times[4];
  for (int round = 0; round < rounds; ++round) {
    times[0].push_back(bare(**cgroups, count));
    for (Way way : {Way::groups, Way::leaf, Way::shim})
      times[static_cast<int>(way)].push_back(proven(way, **cgroups, count));
  }
  const double floor = median(times[0]);
  std::printf("%d processes, %d rounds, ms from SIGKILL to nobody left: bare cgroup.kill %.2f", count, rounds,
              floor / 1e3);
  const char* names[] = {"", "groups and orphans", "leaf", "shim"};
  for (int way = 1; way < 4; ++way)
    std::printf("   %s %.2f (%.2f)", names[way], median(times[way]) / 1e3, median(times[way]) / floor);
  std::printf("\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  be_shim_if_asked(argc, argv);
  if (argc == 3 && std::strcmp(argv[1], "--tree") == 0) be_tree(std::atoi(argv[2]));
  SignalBlock block;
  const int count = argc > 1 ? std::atoi(argv[1]) : 100;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 15;
  return run_beside_orphan_thread([&] { return measure(count, rounds); });
}
