#include "system/activation_socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>

#include "tests/support/fake_syscalls.hpp"

namespace belfry::system {
namespace {

using Kind = SocketPlan::Kind;
using ::testing::HasSubstr;

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(fd, level, name, &value, &size), 0);
  return value;
}

sockaddr_in bound_to(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return address;
}

// Port 0 in the plan: the kernel chooses one.
std::uint16_t port_of(const ActivationSocket& socket) { return ntohs(bound_to(socket.fd()).sin_port); }

bool connects(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.starts_with('@')) address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const bool ok = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0;
  ::close(fd);
  return ok;
}

class ActivationSocketTest : public testing::Test {
 protected:
  ActivationSocketTest() {
    std::string directory = "/tmp/belfry-activation-test.XXXXXX";
    EXPECT_NE(::mkdtemp(directory.data()), nullptr);
    directory_ = directory;
  }
  ~ActivationSocketTest() override { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string path() const { return directory_ + "/s"; }
  [[nodiscard]] SocketPlan unix_plan() const { return {.kind = Kind::unix_stream, .address = path()}; }
  [[nodiscard]] bool exists() const { return ::access(path().c_str(), F_OK) == 0; }

  std::string directory_;
};

TEST_F(ActivationSocketTest, tcp_listens_on_the_address_and_closes_with_its_owner) {
  std::uint16_t port = 0;
  {
    auto socket = ActivationSocket::bind({.address = "127.0.0.1"});
    ASSERT_TRUE(socket) << socket.error().text();
    EXPECT_EQ(option(socket->fd(), SOL_SOCKET, SO_ACCEPTCONN), 1);
    EXPECT_EQ(option(socket->fd(), SOL_SOCKET, SO_REUSEADDR), 1);
    EXPECT_EQ(bound_to(socket->fd()).sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    EXPECT_EQ(::fcntl(socket->fd(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(::fcntl(socket->fd(), F_GETFL) & O_NONBLOCK, 0);
    port = port_of(*socket);
  }
  EXPECT_TRUE(ActivationSocket::bind({.address = "127.0.0.1", .port = port})) << "the port is free again";
}

TEST_F(ActivationSocketTest, a_taken_port_is_an_error_that_names_the_holder) {
  auto first = ActivationSocket::bind({.address = "127.0.0.1"});
  ASSERT_TRUE(first);
  const std::string port = std::to_string(port_of(*first));
  auto second = ActivationSocket::bind({.address = "127.0.0.1", .port = port_of(*first)});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), Error::Kind::failed);
  EXPECT_EQ(second.error().text(), "cannot listen on 127.0.0.1:" + port +
                                       ": Address already in use by belfry itself, for another socket of "
                                       "this stack (stop the other one, or give `listen` another address)");
}

TEST_F(ActivationSocketTest, reuse_port_lets_others_bind_the_same) {
  auto first = ActivationSocket::bind({.address = "127.0.0.1", .reuse_port = true});
  ASSERT_TRUE(first);
  EXPECT_TRUE(ActivationSocket::bind({.address = "127.0.0.1", .port = port_of(*first), .reuse_port = true}));
}

TEST_F(ActivationSocketTest, udp_is_bound_and_a_taken_port_is_not_shared) {
  auto socket = ActivationSocket::bind({.kind = Kind::udp, .address = "127.0.0.1"});
  ASSERT_TRUE(socket);
  EXPECT_EQ(option(socket->fd(), SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
  auto second = ActivationSocket::bind({.kind = Kind::udp, .address = "127.0.0.1", .port = port_of(*socket)});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("cannot listen on udp:127.0.0.1:"));
}

TEST_F(ActivationSocketTest, ipv6_takes_ipv4_connections_unless_told_otherwise) {
  auto both = ActivationSocket::bind({.address = "::"});
  ASSERT_TRUE(both) << both.error().text();
  EXPECT_EQ(option(both->fd(), IPPROTO_IPV6, IPV6_V6ONLY), 0);
  auto only = ActivationSocket::bind({.address = "::1", .v6only = true});
  ASSERT_TRUE(only);
  EXPECT_EQ(option(only->fd(), IPPROTO_IPV6, IPV6_V6ONLY), 1);
  EXPECT_TRUE(ActivationSocket::bind({.address = "0.0.0.0", .port = port_of(*only)}));
}

TEST_F(ActivationSocketTest, star_is_every_address_of_both_families) {
  auto socket = ActivationSocket::bind({.address = "*"});
  ASSERT_TRUE(socket);
  EXPECT_EQ(option(socket->fd(), SOL_SOCKET, SO_DOMAIN), AF_INET6);
  EXPECT_EQ(option(socket->fd(), IPPROTO_IPV6, IPV6_V6ONLY), 0);
}

TEST_F(ActivationSocketTest, a_host_without_ipv6_gets_star_as_ipv4) {
  test::FakeSyscalls syscalls;
  syscalls.socket_errors = {EAFNOSUPPORT};
  auto socket = ActivationSocket::bind({.address = "*"}, syscalls);
  ASSERT_TRUE(socket);
  EXPECT_EQ(option(socket->fd(), SOL_SOCKET, SO_DOMAIN), AF_INET);
}

TEST_F(ActivationSocketTest, localhost_is_the_loopback_address) {
  auto socket = ActivationSocket::bind({.address = "localhost"});
  ASSERT_TRUE(socket);
  EXPECT_EQ(bound_to(socket->fd()).sin_addr.s_addr, htonl(INADDR_LOOPBACK));
}

TEST_F(ActivationSocketTest, an_address_of_another_host_and_a_lack_of_descriptors_are_named) {
  auto foreign = ActivationSocket::bind({.address = "192.0.2.1", .port = 8080});
  ASSERT_FALSE(foreign);
  EXPECT_THAT(
      foreign.error().text(),
      HasSubstr("cannot listen on 192.0.2.1:8080: Cannot assign requested address (this host has no"));
  test::FakeSyscalls syscalls;
  syscalls.socket_errors = {EMFILE};
  auto none = ActivationSocket::bind({.address = "127.0.0.1"}, syscalls);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text(), HasSubstr("Too many open files (raise belfry's limit of open files"));
}

TEST_F(ActivationSocketTest, a_unix_socket_has_the_mode_less_the_umask_or_exactly_the_one_given) {
  const mode_t before = ::umask(027);
  struct stat status{};
  {
    auto socket = ActivationSocket::bind(unix_plan());
    ASSERT_TRUE(socket) << socket.error().text();
    ::stat(path().c_str(), &status);
    EXPECT_EQ(status.st_mode & 0777U, 0640U);
    EXPECT_TRUE(connects(path()));
  }
  EXPECT_FALSE(exists()) << "unlinked at the end";
  SocketPlan plan = unix_plan();
  plan.mode = 0666;
  auto socket = ActivationSocket::bind(plan);
  ::umask(before);
  ASSERT_TRUE(socket);
  ::stat(path().c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777U, 0666U);
}

TEST_F(ActivationSocketTest, a_unix_socket_belongs_to_whom_it_was_given) {
  SocketPlan plan = unix_plan();
  plan.owner = ::geteuid() == 0 ? 33 : ::geteuid();
  plan.group = ::geteuid() == 0 ? 34 : ::getegid();
  auto socket = ActivationSocket::bind(plan);
  ASSERT_TRUE(socket) << socket.error().text();
  struct stat status{};
  ::stat(path().c_str(), &status);
  EXPECT_EQ(status.st_uid, *plan.owner);
  EXPECT_EQ(status.st_gid, *plan.group);
}

// The one who owns the directory swaps the file as fast as he can; a file of root's must keep its mode and
// owner.
TEST_F(ActivationSocketTest, nothing_that_others_put_in_its_place_gets_its_mode_or_owner) {
  const std::string precious = directory_ + "/precious";
  ::close(::open(precious.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const pid_t thief = ::fork();
  if (thief == 0) {
    for (;;) {
      ::unlink(path().c_str());
      static_cast<void>(::symlink(precious.c_str(), path().c_str()));
      ::unlink(path().c_str());
      static_cast<void>(::link(precious.c_str(), path().c_str()));
    }
  }
  SocketPlan plan = unix_plan();
  plan.mode = 0666;
  if (::geteuid() == 0) plan.owner = 33;
  for (int i = 0; i < 2000; ++i) static_cast<void>(ActivationSocket::bind(plan));
  ::kill(thief, SIGKILL);
  ::waitpid(thief, nullptr, 0);
  struct stat status{};
  ASSERT_EQ(::stat(precious.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(status.st_uid, ::geteuid());
  ::unlink(path().c_str());
}

TEST_F(ActivationSocketTest, a_stale_socket_file_is_replaced) {
  const int stale = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path().c_str());
  ASSERT_EQ(::bind(stale, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(stale);
  ASSERT_TRUE(exists());
  auto socket = ActivationSocket::bind(unix_plan());
  ASSERT_TRUE(socket) << socket.error().text();
  EXPECT_TRUE(connects(path()));
}

TEST_F(ActivationSocketTest, a_path_where_somebody_answers_or_another_file_is_left_alone) {
  auto first = ActivationSocket::bind(unix_plan());
  ASSERT_TRUE(first);
  auto second = ActivationSocket::bind(unix_plan());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("Address already in use by belfry itself"));
  EXPECT_TRUE(connects(path()));
  SocketPlan plan = unix_plan();
  plan.address = directory_ + "/plain";
  ::close(::open(plan.address.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  auto third = ActivationSocket::bind(plan);
  ASSERT_FALSE(third);
  EXPECT_THAT(third.error().text(), HasSubstr("a file that is not a socket is in the way"));
  EXPECT_EQ(::access(plan.address.c_str(), F_OK), 0);
}

TEST_F(ActivationSocketTest, a_missing_directory_is_named_with_the_next_step) {
  SocketPlan plan = unix_plan();
  plan.address = directory_ + "/none/s";
  auto socket = ActivationSocket::bind(plan);
  ASSERT_FALSE(socket);
  EXPECT_THAT(socket.error().text(), HasSubstr("No such file or directory (make the directory first)"));
}

TEST_F(ActivationSocketTest, a_path_that_was_removed_or_replaced_is_not_reachable_and_is_not_unlinked) {
  auto socket = ActivationSocket::bind(unix_plan());
  ASSERT_TRUE(socket);
  EXPECT_TRUE(socket->is_reachable());
  ::unlink(path().c_str());
  EXPECT_FALSE(socket->is_reachable());
  auto other = ActivationSocket::bind(unix_plan());
  ASSERT_TRUE(other);
  EXPECT_FALSE(socket->is_reachable());
  {
    const ActivationSocket gone = std::move(*socket);
  }
  EXPECT_TRUE(exists()) << "it belongs to another one";
}

TEST_F(ActivationSocketTest, an_abstract_name_has_no_file) {
  const std::string name = "@belfry-activation-test-" + std::to_string(::getpid());
  auto socket = ActivationSocket::bind({.kind = Kind::unix_stream, .address = name});
  ASSERT_TRUE(socket) << socket.error().text();
  EXPECT_TRUE(connects(name));
  auto second = ActivationSocket::bind({.kind = Kind::unix_stream, .address = name});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("unix:@belfry"));
}

// How many clients may connect before anybody accepts.
TEST_F(ActivationSocketTest, the_backlog_is_as_long_as_asked) {
  SocketPlan plan = unix_plan();
  plan.backlog = 1;
  auto socket = ActivationSocket::bind(plan);
  ASSERT_TRUE(socket);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path().c_str());
  int accepted = 0;
  for (int i = 0; i < 10; ++i) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    accepted += ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
  }
  EXPECT_EQ(accepted, 2) << "unix(7): one more than the backlog";
}

TEST_F(ActivationSocketTest, is_made_blocking_again_whatever_its_last_holder_did) {
  auto socket = ActivationSocket::bind({.address = "127.0.0.1"});
  ASSERT_TRUE(socket);
  ::fcntl(socket->fd(), F_SETFL, O_NONBLOCK);
  socket->make_blocking();
  EXPECT_EQ(::fcntl(socket->fd(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(SocketPlan, is_written_as_in_the_file) {
  EXPECT_EQ((SocketPlan{.address = "127.0.0.1", .port = 80}).text(), "127.0.0.1:80");
  EXPECT_EQ((SocketPlan{.kind = Kind::udp, .address = "::", .port = 53}).text(), "udp:[::]:53");
  EXPECT_EQ((SocketPlan{.kind = Kind::unix_stream, .address = "@x"}).text(), "unix:@x");
}

}  // namespace
}  // namespace belfry::system
