#include "probes/socket_owners.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "channels/sleep.hpp"
#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "probes/owner.hpp"
#include "tests/probes/rig.hpp"

namespace belfry::probes {
namespace {

using test::LocalSocket;

constexpr int many = 900;  // within the usual limit of descriptors

struct ManyDescriptors {
  ManyDescriptors() {
    for (int& fd : held) fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  ~ManyDescriptors() {
    for (const int fd : held) ::close(fd);
  }
  int held[many];
};

const std::vector<system::ListeningSocket> nobodys{{.inode = 1, .uid = static_cast<uid_t>(-2), .cookie = 1}};

TEST(OwnerSearch, a_step_does_no_more_than_its_budget) {
  const ManyDescriptors descriptors;
  TreeSearch search({.leader = ::getpid(), .marker = {}, .log_pipe = 0}, nobodys);
  int steps = 1;
  while (search.step(50) == SearchStep::more) ++steps;
  EXPECT_GE(steps, many / 50);
}

TEST(OwnerSearch, the_host_is_searched_in_steps_too_and_the_holder_found) {
  const ManyDescriptors descriptors;
  const LocalSocket socket;
  system::SockDiag diag;
  HostSearch search(diag.listeners(socket.port(), false));
  SearchStep step = SearchStep::more;
  while (step == SearchStep::more) step = search.step(50);
  ASSERT_EQ(step, SearchStep::found);
  EXPECT_EQ(search.holder(), ::getpid());
}

Task<void> search_in_vain(Context& ctx, SocketOwners& owners, bool& done) {
  SocketOwners::Memory memory;
  const system::TreeId tree{.leader = ::getpid(), .marker = {}, .log_pipe = 0};
  const bool ours = co_await owners.are_held_by(ctx, tree, nobodys, memory);
  EXPECT_FALSE(ours);
  done = true;
}

Task<void> count_turns(Loop& loop, const bool& done, int& turns) {
  while (!done) {
    ++turns;
    co_await yield_to_all(loop);
  }
}

TEST(SocketOwners, others_have_their_turns_while_a_search_goes_on) {
  const ManyDescriptors descriptors;
  Loop loop;
  SocketOwners owners(loop);
  Context ctx(loop);
  WaitGroup tasks(loop, "test");
  bool done = false;
  int turns = 0;
  spawn(tasks, "search", search_in_vain(ctx, owners, done));
  spawn(tasks, "others", count_turns(loop, done, turns));
  loop.run();
  EXPECT_TRUE(done);
  EXPECT_GE(turns, many / 256);
}

TEST(SocketOwners, after_a_search_in_vain_the_next_one_rests) {
  Loop loop;
  SocketOwners owners(loop);
  Context ctx(loop);
  WaitGroup tasks(loop, "test");
  bool done[2] = {};
  const ManyDescriptors descriptors;
  const TimePoint began = Clock::now();
  spawn(tasks, "first", search_in_vain(ctx, owners, done[0]));
  loop.run();
  const Duration work = Clock::now() - began;
  spawn(tasks, "second", search_in_vain(ctx, owners, done[1]));
  loop.run();
  EXPECT_TRUE(done[1]);
  EXPECT_GT(Clock::now() - began, 2 * work) << "the second one began at once";
}

template <class Sockets>
Task<void> expect_ours(Context& ctx, SocketOwners& owners, const system::TreeId& whose,
                       const Sockets& sockets, SocketOwners::Memory& memory) {
  const bool ours = co_await owners.are_held_by(ctx, whose, sockets, memory);
  EXPECT_TRUE(ours);
}

TEST(SocketOwners, what_was_found_once_is_not_searched_for_again) {
  LocalSocket socket;
  system::SockDiag diag;
  Loop loop;
  SocketOwners owners(loop);
  Context ctx(loop);
  SocketOwners::Memory memory;
  const auto sockets = diag.listeners(socket.port(), false);
  const system::TreeId tree{.leader = ::getpid(), .marker = {}, .log_pipe = 0};
  const system::TreeId nobody{};
  WaitGroup tasks(loop, "test");
  spawn(tasks, "first", expect_ours(ctx, owners, tree, sockets, memory));
  loop.run();
  spawn(tasks, "again", expect_ours(ctx, owners, nobody, sockets, memory));
  loop.run();
}

}  // namespace
}  // namespace belfry::probes
