#include "system/listen_socket.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace belfry::system {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string temporary_path() {
  return (std::filesystem::temp_directory_path() /
          ("belfry-listen-test-" + std::to_string(::getpid()) + ".sock"))
      .string();
}

Result<ListenSocket> bound(std::string_view text) {
  const auto address = parse_listen_address(text);
  if (!address) return std::unexpected(address.error());
  return ListenSocket::bind(*address);
}

TEST(ListenAddress, the_spellings_of_a_file_are_understood) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:9600")->host, "127.0.0.1");
  EXPECT_EQ(parse_listen_address("127.0.0.1:9600")->port, 9600);
  EXPECT_EQ(parse_listen_address("[::1]:80")->host, "::1");
  EXPECT_EQ(parse_listen_address("localhost:80")->host, "127.0.0.1");
  EXPECT_EQ(parse_listen_address(":80")->host, "*");
  EXPECT_EQ(parse_listen_address("unix:/run/x.sock")->path, "/run/x.sock");
}

TEST(ListenAddress, what_is_no_address_is_refused_with_an_example) {
  for (const char* text : {"9600", "127.0.0.1", "127.0.0.1:", "127.0.0.1:port", "127.0.0.1:70000",
                           "example.com:80", "unix:relative", "127.0.0.1:80x", ""}) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error().text(), StartsWith("cannot listen on "));
    EXPECT_THAT(address.error().text(), HasSubstr("127.0.0.1:9600"));
  }
}

TEST(ListenSocket, port_0_is_any_free_one) {
  const auto socket = bound("127.0.0.1:0");
  ASSERT_TRUE(socket) << socket.error().text();
  EXPECT_NE(socket->port(), 0);
}

TEST(ListenSocket, every_address_at_once_takes_ipv4_too) {
  const auto socket = bound("*:0");
  ASSERT_TRUE(socket) << socket.error().text();
  EXPECT_FALSE(bound("127.0.0.1:" + std::to_string(socket->port())));
}

TEST(ListenSocket, a_port_that_is_taken_is_one_clear_line) {
  const auto first = bound("127.0.0.1:0");
  ASSERT_TRUE(first);
  const std::string address = "127.0.0.1:" + std::to_string(first->port());
  const auto second = bound(address);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(),
              StartsWith("cannot listen on " + address + ": Address already in use (another"));
}

TEST(ListenSocket, a_unix_socket_is_for_its_user_only_and_goes_with_its_owner) {
  const std::string path = temporary_path();
  {
    const auto socket = bound("unix:" + path);
    ASSERT_TRUE(socket) << socket.error().text();
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ListenSocket, a_stale_socket_is_replaced) {
  const std::string path = temporary_path();
  {
    const auto first = bound("unix:" + path);
    ASSERT_TRUE(first);
    std::filesystem::create_hard_link(path, path + ".kept");
  }
  std::filesystem::rename(path + ".kept", path);  // what a daemon that was killed leaves behind
  const auto second = bound("unix:" + path);
  EXPECT_TRUE(second) << second.error().text();
}

TEST(ListenSocket, a_socket_that_is_answered_is_left_alone) {
  const std::string path = temporary_path();
  const auto first = bound("unix:" + path);
  ASSERT_TRUE(first);
  const auto second = bound("unix:" + path);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("another belfry answers there"));
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(ListenSocket, a_file_in_the_way_is_not_removed) {
  const std::string path = temporary_path();
  std::ofstream(path) << "precious";
  EXPECT_FALSE(bound("unix:" + path));
  EXPECT_TRUE(std::filesystem::exists(path));
  std::filesystem::remove(path);
}

TEST(ListenSocket, a_missing_directory_is_told) {
  const auto socket = bound("unix:/nowhere/at/all.sock");
  ASSERT_FALSE(socket);
  EXPECT_THAT(socket.error().text(), HasSubstr("make the directory first"));
}

}  // namespace
}  // namespace belfry::system
