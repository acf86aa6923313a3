#include "system/socket_ends.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "system/socket_identity.hpp"

namespace belfry::system {
namespace {

struct Listener {
  explicit Listener(int type = SOCK_STREAM) : fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    if (type == SOCK_STREAM) EXPECT_EQ(::listen(fd, 4), 0);
    cookie = identify(fd).cookie;
  }
  void close() { ::close(fd); }
  int fd;
  std::uint64_t cookie = 0;
};

struct SocketEndsTest : testing::Test {
  void SetUp() override { ASSERT_TRUE(ends.open()); }
  void watch(std::vector<std::uint64_t> cookies) { ASSERT_TRUE(ends.watch(cookies)); }
  // Waits for the next one that is told.
  std::uint64_t told() {
    pollfd readable{.fd = ends.descriptor(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&readable, 1, 20000), 1);
    return ends.next().value_or(0);
  }
  SocketEnds ends;
};

TEST_F(SocketEndsTest, the_end_of_a_listener_or_of_a_udp_socket_is_told) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    Listener one(type);
    ASSERT_NE(one.cookie, 0U);
    watch({one.cookie});
    EXPECT_EQ(ends.next(), std::nullopt);
    one.close();
    EXPECT_EQ(told(), one.cookie);
  }
}

TEST_F(SocketEndsTest, the_ends_of_others_wake_nobody) {
  Listener watched, other, also_watched;
  watch({watched.cookie, also_watched.cookie});
  other.close();
  also_watched.close();
  watched.close();
  EXPECT_EQ(told(), also_watched.cookie);
  EXPECT_EQ(told(), watched.cookie);
  EXPECT_EQ(ends.next(), std::nullopt);
}

TEST_F(SocketEndsTest, a_listener_that_somebody_else_has_open_too_has_not_ended) {
  Listener one, after;
  watch({one.cookie, after.cookie});
  const int held = ::dup(one.fd);
  one.close();
  after.close();
  EXPECT_EQ(told(), after.cookie);
  ::close(held);
  EXPECT_EQ(told(), one.cookie);
}

TEST_F(SocketEndsTest, more_than_a_filter_has_room_for_are_watched_all_the_same) {
  Listener one;
  std::vector<std::uint64_t> many(5000, 1);
  many.push_back(one.cookie);
  watch(many);
  one.close();
  while (told() != one.cookie) {  // listeners of others may end meanwhile
  }
}

}  // namespace
}  // namespace belfry::system
