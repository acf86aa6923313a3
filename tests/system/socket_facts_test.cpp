#include "system/socket_facts.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace belfry::system {
namespace {

using Kind = SocketPlan::Kind;

SocketPlan plan(Kind kind, std::string address, std::uint16_t port = 0) {
  SocketPlan made;
  made.kind = kind;
  made.address = std::move(address);
  made.port = port;
  return made;
}

// Bound at a port that the kernel has chosen; `asked` gets it.
ActivationSocket bound(SocketPlan& asked) {
  auto made = ActivationSocket::bind(asked);
  EXPECT_TRUE(made) << (made ? "" : made.error().text());
  if (asked.kind != Kind::unix_stream) asked.port = plan_of(made->fd())->port;
  return std::move(*made);
}

class SocketFactsTest : public testing::Test {
 protected:
  SocketFactsTest() {
    std::string directory = "/tmp/belfry-socket-facts.XXXXXX";
    EXPECT_NE(::mkdtemp(directory.data()), nullptr);
    path_ = directory;
  }
  ~SocketFactsTest() override { std::filesystem::remove_all(path_); }
  std::string path_;
};

TEST_F(SocketFactsTest, what_is_bound_as_a_plan_says_is_known_by_every_kind_of_address) {
  for (SocketPlan asked : {plan(Kind::tcp, "127.0.0.1"), plan(Kind::tcp, "localhost"), plan(Kind::tcp, "*"),
                           plan(Kind::tcp, "::1"), plan(Kind::tcp, "0.0.0.0"), plan(Kind::udp, "127.0.0.1"),
                           plan(Kind::udp, "*"), plan(Kind::unix_stream, path_ + "/app.sock"),
                           plan(Kind::unix_stream, "@belfry-facts-" + path_)}) {
    const ActivationSocket socket = bound(asked);
    EXPECT_TRUE(is_bound_to(socket.fd(), asked)) << asked.text();
    EXPECT_TRUE(is_made_as(socket.fd(), asked)) << asked.text();
    EXPECT_TRUE(is_in_the_way(socket.fd(), asked)) << asked.text();
  }
}

TEST_F(SocketFactsTest, another_host_port_or_kind_is_another_socket) {
  SocketPlan asked = plan(Kind::tcp, "127.0.0.1");
  const ActivationSocket socket = bound(asked);
  const std::uint16_t port = asked.port;
  for (const SocketPlan& other :
       {plan(Kind::tcp, "127.0.0.2", port), plan(Kind::tcp, "*", port), plan(Kind::tcp, "0.0.0.0", port),
        plan(Kind::tcp, "::1", port), plan(Kind::udp, "127.0.0.1", port),
        plan(Kind::tcp, "127.0.0.1", static_cast<std::uint16_t>(port - 1)), plan(Kind::unix_stream, "/x")})
    EXPECT_FALSE(is_bound_to(socket.fd(), other)) << other.text();
  EXPECT_TRUE(is_in_the_way(socket.fd(), plan(Kind::tcp, "*", port)));
  EXPECT_FALSE(is_in_the_way(socket.fd(), plan(Kind::udp, "*", port)));
}

TEST_F(SocketFactsTest, all_addresses_of_ipv4_alone_are_not_all_addresses) {
  SocketPlan asked = plan(Kind::tcp, "0.0.0.0");
  const ActivationSocket socket = bound(asked);
  EXPECT_FALSE(is_bound_to(socket.fd(), plan(Kind::tcp, "*", asked.port)));
}

TEST_F(SocketFactsTest, options_and_the_mode_of_the_file_are_part_of_how_it_is_made) {
  SocketPlan asked = plan(Kind::tcp, "*");
  const ActivationSocket socket = bound(asked);
  SocketPlan other = asked;
  other.v6only = true;
  EXPECT_FALSE(is_made_as(socket.fd(), other));
  other = asked;
  other.reuse_port = true;
  EXPECT_FALSE(is_made_as(socket.fd(), other));

  SocketPlan file = plan(Kind::unix_stream, path_ + "/app.sock");
  file.mode = 0640;
  const ActivationSocket app = bound(file);
  EXPECT_TRUE(is_made_as(app.fd(), file));
  file.mode = 0660;
  EXPECT_FALSE(is_made_as(app.fd(), file));
}

TEST_F(SocketFactsTest, a_file_that_has_become_another_sockets_is_not_its_own) {
  SocketPlan asked = plan(Kind::unix_stream, path_ + "/app.sock");
  const ActivationSocket first = bound(asked);
  ::unlink(asked.address.c_str());
  EXPECT_FALSE(is_made_as(first.fd(), asked));
  const ActivationSocket second = bound(asked);
  EXPECT_FALSE(is_made_as(first.fd(), asked));
  EXPECT_TRUE(is_made_as(second.fd(), asked));
}

TEST_F(SocketFactsTest, what_listen_could_not_have_asked_for_is_described) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  EXPECT_EQ(describe_socket(ends[0]), "something that is no socket");
  EXPECT_FALSE(plan_of(ends[0]));
  ::close(ends[0]);
  ::close(ends[1]);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  EXPECT_EQ(describe_socket(ends[0]), "a seqpacket unix socket at ");
  ::close(ends[0]);
  ::close(ends[1]);
  const int deaf = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(describe_socket(deaf), "0.0.0.0:0, which does not listen (Accept=yes?)");
  EXPECT_FALSE(is_bound_to(deaf, plan(Kind::tcp, "0.0.0.0")));
  ::close(deaf);
}

TEST_F(SocketFactsTest, an_address_is_written_as_the_file_writes_it) {
  SocketPlan six = plan(Kind::udp, "::1");
  EXPECT_EQ(describe_socket(bound(six).fd()), "udp:[::1]:" + std::to_string(six.port));
  SocketPlan file = plan(Kind::unix_stream, path_ + "/app.sock");
  EXPECT_EQ(describe_socket(bound(file).fd()), "unix:" + file.address);
}

}  // namespace
}  // namespace belfry::system
