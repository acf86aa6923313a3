// A client on a real loop, asked as if it were no coroutine, and the members that it talks to.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "channels/context.hpp"
#include "channels/loop.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "daemon/cluster/etcd/client.hpp"
#include "probes/net/resolver.hpp"
#include "tls/client.hpp"

namespace belfry::daemon::etcd::test {

using namespace std::chrono_literals;

template <class T>
Task<> keep(Loop& loop, Task<T> task, std::optional<T>& into) {
  into.emplace(co_await std::move(task));
  loop.stop();
}

inline Task<Result<void>> stop_client(Context& patience, Client& client) {
  Result<void> stopped = co_await client.stop(patience);
  co_return stopped;
}

// No jitter, and the members in the order in which they are given.
inline ClientOptions options_for(const std::vector<std::string>& endpoints, bool within_tls = false) {
  ClientOptions options;
  for (const std::string& text : endpoints) options.endpoints.push_back(*parse_endpoint(text, within_tls));
  options.random = [] { return 0.0; };
  // By which shuffle() takes the first for the last place: turned round it is as it was.
  if (options.endpoints.size() == 2) std::swap(options.endpoints[0], options.endpoints[1]);
  return options;
}

// Declared first in a test, so that it outlives what the test makes.
struct Rig {
  Loop loop;
  Context root{loop};
  probes::Resolver resolver{loop};
  tls::Clients tls;
  WaitGroup tasks{loop, "tasks of the test"};
  std::unique_ptr<Client> client;

  ~Rig() {
    end_client();
    EXPECT_EQ(loop.tasks(), 0U) << "tasks are left at the end of the test";
  }

  Client& begin(ClientOptions options) {
    end_client();
    client = std::make_unique<Client>(root, std::move(options), resolver, tls);
    client->start();
    return *client;
  }
  void end_client() {
    if (!client) return;
    Context patience(loop);
    EXPECT_TRUE(wait(stop_client(patience, *client)));
    client.reset();
  }
  // Runs the loop until the task has its answer.
  template <class T>
  T wait(Task<T> task) {
    std::optional<T> into;
    spawn(tasks, "asked by the test", keep(loop, std::move(task), into));
    loop.run();
    return std::move(*into);
  }
  Context soon(Duration time = 20s) { return within(root, time, "patience of the test"); }
};

}  // namespace belfry::daemon::etcd::test
