// What the primitives cost. Prints "name nanoseconds" or "name bytes", one per line; `run` sets them
// beside main.go. Every measured value is checked, so that nothing can be optimised away.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <vector>

#include "channels/bell.hpp"
#include "channels/channel_case.hpp"
#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/timer_queue.hpp"
#include "channels/wait_group.hpp"

using namespace belfry;

namespace {

constexpr std::size_t repetitions = 5;

double median(const std::function<double()>& measure) {
  std::array<double, repetitions> values{};
  for (double& value : values) value = measure();
  std::sort(values.begin(), values.end());
  return values[repetitions / 2];
}

void report(const char* name, double value) { std::printf("%s %.3f\n", name, value); }

void check(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "bench: %s\n", what);
  std::exit(1);
}

double since(TimePoint start, long n) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / static_cast<double>(n);
}

// Runs one task to its end on a loop of its own, as a program would.
void run(const std::function<Task<>(Context&)>& program) {
  Loop loop;
  Context root(loop);
  TaskHandle handle = spawn(loop, "bench", program(root));
  check(loop.run() == RunEnd::finished, "the program did not come to its end");
}

Task<> wait_for(Context& ctx, Bell<>& bell, int& count) {
  Outcome outcome = co_await bell.wait(ctx);
  if (outcome.rung()) ++count;
}

Task<> ring_all(Context& ctx, int waiters, double& ns) {
  Bell<> bell(ctx.loop(), "bench");
  WaitGroup group(ctx.loop());
  std::vector<int> counts(static_cast<std::size_t>(waiters));
  for (int& count : counts) spawn(group, "waiter", wait_for(ctx, bell, count));
  co_await yield(ctx.loop());
  co_await yield(ctx.loop());
  const TimePoint start = Clock::now();
  bell.ring();
  (void)co_await group.wait(ctx);
  ns = since(start, waiters);
  check(std::count(counts.begin(), counts.end(), 1) == waiters, "a waiter was lost");
}

double ring(int waiters) {
  double ns = 0;
  run([&](Context& ctx) { return ring_all(ctx, waiters, ns); });
  return ns;
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

int woken = 0;

// The smallest task that waits: what it needs for that, and nothing of its own.
Task<> wait_only(Context& ctx, Bell<>& bell) {
  Outcome outcome = co_await bell.wait(ctx);
  if (outcome.rung()) ++woken;
}

Task<> occupy(Context& ctx, int waiters, double& bytes) {
  Bell<> bell(ctx.loop(), "bench");
  WaitGroup group(ctx.loop());
  const double before = resident_bytes();
  for (int i = 0; i < waiters; ++i) spawn(group, "waiter", wait_only(ctx, bell));
  co_await yield(ctx.loop());
  co_await yield(ctx.loop());
  bytes = (resident_bytes() - before) / waiters;
  bell.ring();
  (void)co_await group.wait(ctx);
  check(woken == waiters, "a waiter was lost");
}

double memory(int waiters) {
  double bytes = 0;
  run([&](Context& ctx) { return occupy(ctx, waiters, bytes); });
  return bytes;
}

Task<> count_one(long& total) {
  ++total;
  co_return;
}

Task<> spawn_and_join(Context& ctx, long n, double& ns) {
  long total = 0;
  const TimePoint start = Clock::now();
  for (long i = 0; i < n; ++i) {
    WaitGroup group(ctx.loop());
    spawn(group, "task", count_one(total));
    (void)co_await group.wait(ctx);
  }
  ns = since(start, n);
  check(total == n, "a task was lost");
}

Task<> answer(Context& ctx, Receiver<long> in, Channel<long>& out) {
  while (Result<long> value = co_await in.receive(ctx)) {
    Result<void> sent = co_await out.send(ctx, *value + 1);
    if (!sent) break;
  }
  out.close();
}

Task<> ping_pong(Context& ctx, long n, double& ns) {
  Channel<long> there(ctx.loop(), 0, "there");
  Channel<long> back(ctx.loop(), 0, "back");
  WaitGroup group(ctx.loop());
  spawn(group, "answer", answer(ctx, there.receiver(), back));
  long sum = 0;
  const TimePoint start = Clock::now();
  for (long i = 0; i < n; ++i) {
    (void)co_await there.send(ctx, i);
    Result<long> got = co_await back.receive(ctx);
    sum += *got;
  }
  ns = since(start, n);
  there.close();
  (void)co_await group.wait(ctx);
  check(sum == n * (n + 1) / 2, "a value was lost");
}

Task<> select_ready(Context& ctx, long n, double& ns) {
  Channel<long> a(ctx.loop(), 1, "a");
  Channel<long> b(ctx.loop(), 0, "b");
  auto from_a = receive(a);
  auto from_b = receive(b);
  long sum = 0;
  const TimePoint start = Clock::now();
  for (long i = 0; i < n; ++i) {
    a.try_send(1);
    const std::size_t which = co_await select(ctx, from_a, from_b);
    sum += which == 0 ? *from_a.take() : -1;
  }
  ns = since(start, n);
  check(sum == n, "a value was lost");
}

Task<> feed(Context& ctx, Receiver<long> next, Sender<long> out) {
  while (Result<long> value = co_await next.receive(ctx)) (void)co_await out.send(ctx, *value);
}

Task<> select_woken(Context& ctx, long n, double& ns) {
  Channel<long> a(ctx.loop(), 0, "a");
  Channel<long> b(ctx.loop(), 0, "b");
  Channel<long> next(ctx.loop(), 0, "next");
  WaitGroup group(ctx.loop());
  spawn(group, "feeder", feed(ctx, next.receiver(), a.sender()));
  auto from_a = receive(a);
  auto from_b = receive(b);
  long sum = 0;
  const TimePoint start = Clock::now();
  for (long i = 0; i < n; ++i) {
    (void)co_await next.send(ctx, 1);
    const std::size_t which = co_await select(ctx, from_a, from_b);
    sum += which == 0 ? *from_a.take() : -1;
  }
  ns = since(start, n);
  next.close();
  (void)co_await group.wait(ctx);
  check(sum == n, "a value was lost");
}

Task<> arm_and_cancel(Context& ctx, std::size_t n, double& ns) {
  int fired = 0;
  std::vector<std::unique_ptr<Timer>> timers(n);
  std::uint32_t x = 1;
  const TimePoint start = Clock::now();
  const TimePoint base = start + std::chrono::hours(1);
  for (auto& timer : timers) {
    x = x * 1664525U + 1013904223U;
    timer = std::make_unique<Timer>(ctx.loop());  // Go allocates each of its timers, too
    timer->arm(base + std::chrono::nanoseconds(x), [&fired] { ++fired; });
  }
  check(ctx.loop().timers().size() == n, "a timer was lost");
  for (auto& timer : timers) timer->cancel();
  ns = since(start, static_cast<long>(n));
  check(fired == 0 && ctx.loop().timers().empty(), "a timer fired");
  co_return;
}

template <class Program, class Count>
double measured(Program program, Count n) {
  return median([&] {
    double ns = 0;
    run([&](Context& ctx) { return program(ctx, n, ns); });
    return ns;
  });
}

}  // namespace

int main() {
  report("memory_per_waiter", memory(1'000'000));
  for (int waiters : {1, 1'000, 100'000, 1'000'000}) {
    report(("ring_" + std::to_string(waiters)).c_str(), median([waiters] { return ring(waiters); }));
  }
  report("spawn_join", measured(&spawn_and_join, 300'000L));
  report("ping_pong", measured(&ping_pong, 300'000L));
  report("select_ready", measured(&select_ready, 1'000'000L));
  report("select_woken", measured(&select_woken, 300'000L));
  report("timers", measured(&arm_and_cancel, std::size_t{1'000'000}));
}
