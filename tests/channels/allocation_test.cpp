// Waiting allocates nothing: every operator new of this program is counted.
#include <cstdlib>
#include <new>

#include "channels/bell.hpp"
#include "channels/channel_case.hpp"
#include "channels/semaphore.hpp"
#include "channels/sleep.hpp"
#include "channels/wakeup.hpp"
#include "tests/channels/rig.hpp"

namespace {
std::size_t allocations = 0;
std::size_t allocated_bytes = 0;
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  allocated_bytes += size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace belfry {
namespace {

using test::milliseconds;
using test::Rig;

struct World {
  explicit World(Rig& rig) : loop(rig.loop), ctx(rig.root) {}
  Loop& loop;
  Context& ctx;
  Channel<int> in{loop, 0, "in"};
  Channel<int> out{loop, 1, "out"};
  Wakeup wakeup{loop};
  Semaphore semaphore{loop, 2, "semaphore"};
  std::size_t counted = 0;
};

Task<> echo(World& world) {
  while (Result<int> item = co_await world.in.receive(world.ctx)) {
    Result<void> sent = co_await world.out.send(world.ctx, *item);
    if (!sent) co_return;
  }
}

Task<> use_everything(World& world, int rounds) {
  auto woken = on(world.wakeup);
  auto item = receive(world.out);
  auto late = at(world.loop, TimePoint::max());
  for (int i = 0; i < rounds; ++i) {
    Bell<> bell(world.loop, "bell");
    Context child(world.ctx, world.loop.now() + milliseconds(5));
    auto rung = on(bell);
    Result<void> sent = co_await world.in.send(child, i);
    late.target(world.loop.now() + milliseconds(1));
    const std::size_t which = co_await select(child, woken, item, rung, late);
    EXPECT_EQ(which, 1U);
    (void)item.take();
    Result<Permit> permit = co_await world.semaphore.acquire(child, 2);
    Result<void> slept = co_await sleep_for(child, milliseconds(1));
    child.cancel();
    Outcome outcome = co_await bell.wait(child);
    EXPECT_TRUE(sent && permit && slept && outcome.cancelled());
  }
}

Task<> count_allocations(World& world) {
  co_await use_everything(world, 10);  // everything there is to be warmed up
  const std::size_t before = allocations;
  co_await use_everything(world, 1000);
  world.counted = allocations - before;
  world.in.close();
}

TEST(Allocation, sending_receiving_selecting_sleeping_acquiring_and_cancelling_allocate_nothing) {
  Rig rig;
  World world(rig);
  rig.go(echo(world));
  rig.go(count_allocations(world));
  while (rig.loop.advance_to_next_timer()) {
  }
  // Asio recycles the memory of a posted turn; a handful may miss its cache.
  EXPECT_LE(world.counted, 4U);
}

int woken = 0;
Task<> wait_only(Context& ctx, Bell<>& bell) {
  Outcome outcome = co_await bell.wait(ctx);
  if (outcome.rung()) ++woken;
}

TEST(Allocation, a_waiting_task_is_128_bytes_and_its_memory_is_used_again) {
  constexpr int tasks = 100000;
  Rig rig;
  for (int round = 0; round < 3; ++round) {
    woken = 0;
    Bell<> bell(rig.loop, "bell");
    const std::size_t before = allocated_bytes;
    for (int i = 0; i < tasks; ++i) rig.go(wait_only(rig.root, bell));
    rig.idle();
    const double each = static_cast<double>(allocated_bytes - before) / tasks;
    EXPECT_LE(each, round == 0 ? 129.0 : 0.1) << "round " << round;
    bell.ring();
    rig.idle();
    EXPECT_EQ(woken, tasks);
  }
}

}  // namespace
}  // namespace belfry
