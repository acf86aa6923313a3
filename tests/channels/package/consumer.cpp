#include <channels/bell.hpp>
#include <channels/spawn.hpp>
#include <cstdio>

belfry::Task<> ring(belfry::Context&, belfry::Ringer<int> ringer) {
  ringer.ring(42);
  co_return;
}

int main() {
  belfry::Loop loop;
  belfry::Context root(loop);
  belfry::Bell<int> bell(loop, "answer");
  belfry::TaskHandle task = belfry::spawn(loop, "ring", ring(root, bell.ringer()));
  loop.run();
  std::printf("%d\n", bell.value());
  return bell.rung() ? 0 : 1;
}
