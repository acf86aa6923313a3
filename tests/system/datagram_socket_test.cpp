#include "system/datagram_socket.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace belfry::system {
namespace {

namespace fs = std::filesystem;

class DatagramSocketTest : public testing::Test {
 protected:
  DatagramSocketTest() {
    std::string path = fs::temp_directory_path() / "belfry-datagrams.XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    place_ = path;
  }
  ~DatagramSocketTest() override { fs::remove_all(place_); }

  std::string place_;
};

TEST_F(DatagramSocketTest, the_kernel_says_who_has_sent_a_datagram) {
  auto socket = CredentialSocket::bind(place_ + "/s", ::geteuid());
  ASSERT_TRUE(socket);
  const OwnedFd sender = connect_datagram_socket(socket->path());
  ASSERT_TRUE(sender);
  EXPECT_EQ(send_datagram(sender.get(), "READY=1"), Sent::yes);
  std::array<char, 16> text{};
  DatagramOrigin origin;
  std::vector<OwnedFd> descriptors;
  EXPECT_EQ(socket->receive(text, origin, descriptors), 7);
  EXPECT_EQ(std::string_view(text.data(), 7), "READY=1");
  EXPECT_EQ(origin.pid, ::getpid());
  EXPECT_EQ(origin.uid, ::geteuid());
  EXPECT_FALSE(origin.text_was_cut);
  EXPECT_EQ(socket->receive(text, origin, descriptors), -EAGAIN);
}

TEST_F(DatagramSocketTest, what_is_longer_than_the_room_for_it_is_said_to_be_cut) {
  auto socket = CredentialSocket::bind(place_ + "/s", ::geteuid());
  ASSERT_TRUE(socket);
  const OwnedFd sender = connect_datagram_socket(socket->path());
  EXPECT_EQ(send_datagram(sender.get(), "READY=1"), Sent::yes);
  std::array<char, 4> text{};
  DatagramOrigin origin;
  std::vector<OwnedFd> descriptors;
  EXPECT_EQ(socket->receive(text, origin, descriptors), 4);
  EXPECT_TRUE(origin.text_was_cut);
}

TEST_F(DatagramSocketTest, its_file_is_its_users_alone_and_goes_with_it) {
  const std::string path = place_ + "/s";
  {
    auto socket = CredentialSocket::bind(path, ::geteuid());
    ASSERT_TRUE(socket);
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, ::geteuid() == 0 ? 0666U : 0600U);
    const CredentialSocket moved = std::move(*socket);
    EXPECT_TRUE(moved.is_open());
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(DatagramSocketTest, what_cannot_be_bound_is_an_error_that_names_the_path) {
  const auto socket = CredentialSocket::bind(place_ + "/no/such/place", ::geteuid());
  ASSERT_FALSE(socket);
  EXPECT_TRUE(socket.error().text().starts_with("cannot bind the notify socket " + place_));
  EXPECT_FALSE(CredentialSocket::bind(std::string(200, 'x'), ::geteuid()));
}

TEST_F(DatagramSocketTest, who_does_not_read_makes_room_for_no_more) {
  auto socket = CredentialSocket::bind(place_ + "/s", ::geteuid());
  ASSERT_TRUE(socket);
  const OwnedFd sender = connect_datagram_socket(socket->path());
  Sent sent = Sent::yes;
  for (int i = 0; i <= CredentialSocket::queue_length() && sent == Sent::yes; ++i)
    sent = send_datagram(sender.get(), "x");
  EXPECT_EQ(sent, Sent::no_room);
  socket->close();
  EXPECT_EQ(send_datagram(sender.get(), "x"), Sent::lost);
}

TEST(ConnectDatagramSocket, an_address_is_a_path_or_an_abstract_name_of_somebody_who_is_there) {
  EXPECT_FALSE(connect_datagram_socket(""));
  EXPECT_FALSE(connect_datagram_socket("/"));
  EXPECT_FALSE(connect_datagram_socket("relative"));
  EXPECT_FALSE(connect_datagram_socket("/no/such/socket"));
  EXPECT_FALSE(connect_datagram_socket("@belfry-nobody"));
  EXPECT_FALSE(connect_datagram_socket("/" + std::string(200, 'x')));
}

}  // namespace
}  // namespace belfry::system
