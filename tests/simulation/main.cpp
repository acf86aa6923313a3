// The simulation's own program: belfry_simulation [--simulate N] [--seed S] [--journal FILE]; one history is
// told as it happens. Two versions that behave alike write the same journal, byte for byte.
//
// Histories run in a child process, so that one that ends in an abort or never ends is shrunk like any other.
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "tests/simulation/world.hpp"

namespace {

using belfry::simulation::Plan;

// Of processor time: a machine that is paused fails no history. A history takes a few milliseconds, and
// nothing in it waits for the real world.
constexpr itimerval patience{.it_interval = {}, .it_value = {.tv_sec = 20, .tv_usec = 0}};
constexpr itimerval none{};

// Runs `work` in a child; true when it ended well.
bool goes_well(const std::function<bool()>& work, bool quiet) {
  const pid_t child = fork();
  if (child == 0) {
    if (quiet) {
      if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(3);
    }
    const bool well = work();
    std::fflush(nullptr);
    _exit(well ? 0 : 1);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    std::perror("cannot run a history");
    std::exit(71);
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool live(const Plan& plan, std::FILE* journal = nullptr) {
  setitimer(ITIMER_PROF, &patience, nullptr);
  const auto failure = belfry::simulation::live_through(plan, journal);
  setitimer(ITIMER_PROF, &none, nullptr);
  return !failure;
}

// Takes parts away for as long as what is left still fails.
Plan shrink(Plan plan) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  bool smaller = true;
  while (smaller) {
    smaller = false;
    for (std::size_t part = 0;; ++part) {
      const auto less = belfry::simulation::without_part(plan, part);
      if (!less || std::chrono::steady_clock::now() > until) break;
      if (less->services.size() == plan.services.size() && less->events.size() == plan.events.size() &&
          belfry::simulation::describe(*less) == belfry::simulation::describe(plan)) {
        continue;
      }
      if (goes_well([&] { return live(*less); }, true)) continue;
      plan = *less;
      smaller = true;
      --part;
    }
  }
  return plan;
}

void report(std::uint64_t seed) {
  const auto number = static_cast<unsigned long long>(seed);
  const Plan whole = belfry::simulation::make_plan(seed);
  if (goes_well([&] { return live(whole); }, true)) {
    std::fprintf(stderr,
                 "the run ended in history %llu, which goes well by itself: was it ended from outside?\n",
                 number);
    return;
  }
  std::fprintf(stderr, "history %llu fails; shrinking it\n", number);
  const Plan plan = shrink(whole);
  std::fprintf(stderr, "%s", belfry::simulation::describe(plan).c_str());
  goes_well([&] { return live(plan, stderr); }, false);
  std::fprintf(stderr, "replay it with: --simulate 1 --seed %llu\n", number);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t count = 10000;
  std::uint64_t first = 1;
  if (const char* asked = std::getenv("BELFRY_SIMULATE")) count = std::strtoull(asked, nullptr, 10);
  std::FILE* journal = nullptr;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--simulate") == 0) count = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--seed") == 0) first = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--journal") == 0) {
      journal = std::fopen(argv[i + 1], "we");
      if (journal == nullptr) {
        std::fprintf(stderr, "cannot write %s: %s\n", argv[i + 1], std::strerror(errno));
        return 73;
      }
    }
  }
  void* shared =
      mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    std::perror("cannot share memory");
    return 71;
  }
  auto& seed = *static_cast<std::uint64_t*>(shared);
  const bool well = goes_well(
      [&] {
        for (seed = first; seed < first + count; ++seed) {
          if (journal != nullptr) std::fprintf(journal, "history %llu\n", (unsigned long long)seed);
          std::FILE* told = journal == nullptr && count == 1 ? stderr : journal;
          if (!live(belfry::simulation::make_plan(seed), told)) return false;
        }
        return true;
      },
      false);
  if (!well) {
    report(seed);
    return 1;
  }
  std::printf("%llu histories, from seed %llu\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(first));
  return 0;
}
