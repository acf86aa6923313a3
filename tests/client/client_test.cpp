// The client against a listener of this test. All that is answered is in the socket before it is asked for,
// so nobody has to wait.
#include "client/client.hpp"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "config/model/exit_codes.hpp"

namespace belfry::client {
namespace {

using testing::EndsWith;
using testing::StartsWith;

struct ClientTest : testing::Test {
  std::string directory = (std::filesystem::temp_directory_path() / "belfry-client-XXXXXX").string();
  std::string path;
  int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  ClientTest() {
    EXPECT_NE(::mkdtemp(directory.data()), nullptr);
    path = directory + "/c.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener, 1), 0);
  }
  ~ClientTest() override {
    ::close(listener);
    std::filesystem::remove_all(directory);
  }

  // What the client makes of these bytes, with the end of the connection behind them.
  Expected<Reply> answered_with(std::string_view bytes) {
    auto client = Client::connect(path);
    if (!client) return std::unexpected(client.error());
    const int peer = ::accept(listener, nullptr, nullptr);
    EXPECT_EQ(::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    ::shutdown(peer, SHUT_WR);
    auto reply = client->request("GET", "/v1/services");
    ::close(peer);
    return reply;
  }
};

TEST_F(ClientTest, a_response_is_its_status_and_its_body) {
  const auto reply = answered_with("HTTP/1.1 503 No\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->body, "hi");
}

TEST_F(ClientTest, a_chunked_body_is_put_together_and_one_without_a_length_ends_with_the_connection) {
  const auto chunked =
      answered_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
  ASSERT_TRUE(chunked);
  EXPECT_EQ(chunked->body, "ab");
  const auto open = answered_with("HTTP/1.1 200 OK\r\n\r\nall there is");
  ASSERT_TRUE(open);
  EXPECT_EQ(open->body, "all there is");
}

TEST_F(ClientTest, a_response_that_is_cut_off_is_none) {
  for (const std::string_view bytes : {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", "HTTP/1.1 20", ""}) {
    const auto reply = answered_with(bytes);
    ASSERT_FALSE(reply) << bytes;
    EXPECT_EQ(reply.error().exit_code, exit_code::unavailable);
    EXPECT_THAT(reply.error().message, StartsWith("cannot get an answer from belfry at " + path + ": "));
    EXPECT_THAT(reply.error().message,
                EndsWith(bytes.empty() ? "the connection was closed without an answer" : "partial message"));
  }
}

TEST_F(ClientTest, what_is_no_http_is_refused) {
  const auto reply = answered_with("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().exit_code, exit_code::unavailable);
}

TEST_F(ClientTest, a_head_without_an_end_is_not_read_for_ever) {
  const auto reply = answered_with("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'));
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message, EndsWith("header limit exceeded"));
}

TEST_F(ClientTest, where_nobody_listens_is_unavailable) {
  const auto client = Client::connect(path + ".not");
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().exit_code, exit_code::unavailable);
}

}  // namespace
}  // namespace belfry::client
