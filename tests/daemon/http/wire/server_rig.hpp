// A server over real sockets, and its other end. Both share one thread and a manual clock: what was sent is
// in the socket when the loop is polled, and nothing waits for real time.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "channels/spawn.hpp"
#include "channels/wait_group.hpp"
#include "daemon/http/api/api.hpp"
#include "daemon/http/wire/server.hpp"
#include "tests/support/fake_stack.hpp"

namespace belfry::daemon::http {

// The other end of a connection.
class Client {
 public:
  Client() = default;
  explicit Client(std::uint16_t port) { connect(port); }
  void connect(std::uint16_t port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  explicit Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(); }

  void send(std::string_view bytes) const {
    static_cast<void>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  void get(std::string_view path) const {
    send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  // What has come since the last time.
  std::string received() {
    std::string all;
    char buffer[65536];
    for (;;) {
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got <= 0) {
        ended_ = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
        return all;
      }
      all.append(buffer, static_cast<std::size_t>(got));
    }
  }
  bool ended() {
    received();
    return ended_;
  }
  [[nodiscard]] bool has_ended() const { return ended_; }  // as far as it has read
  void close_half() const { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
  bool ended_ = false;
};

inline Task<void> stop_and_keep(Server& server, Context& patience, std::optional<Result<void>>& kept) {
  kept = co_await server.stop(patience);
}

struct ServerTest : testing::Test {
  ManualClock clock;
  Loop loop{clock};
  FakeStack stack{loop};
  FakeMetrics metrics;
  Journal journal{loop};
  LogBook logs{loop, {"db", "api"}};
  Api api{stack, metrics, journal, logs};
  Context forever{loop};
  std::unique_ptr<Server> server;
  WaitGroup stopping{loop};
  std::optional<Result<void>> stopped;

  std::uint16_t open(ServerLimits limits = {}) {
    server = std::make_unique<Server>(forever, api, Access::read_only, limits);
    const auto listening = server->listen("127.0.0.1:0");
    EXPECT_TRUE(listening) << listening.error().text();
    turn();
    return server->port();
  }
  void turn() { loop.run_until_idle(); }
  // What came until it ended so, within a bound of real time: a busy kernel hands on late.
  std::string read_until(Client& client, std::string_view end) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    std::string all;
    while (!all.ends_with(end) && std::chrono::steady_clock::now() < give_up) {
      turn();
      all += client.received();
    }
    return all;
  }
  // The bytes that came until there were as many as the body has, within a bound of turns.
  std::size_t read_metrics(Client& client) {
    std::size_t size = 0;
    for (int i = 0; i < 10'000 && size < metrics.body.size(); ++i) {
      turn();
      size += client.received().size();
    }
    return size;
  }
  void stop(Context& patience) {
    spawn(stopping, "stop", stop_and_keep(*server, patience, stopped));
    turn();
  }
  ~ServerTest() override {
    if (server && !stopped) {
      Context none(loop);
      none.cancel();
      stop(none);
    }
    EXPECT_EQ(loop.tasks(), 0U) << "a task was left behind";
  }
};

}  // namespace belfry::daemon::http
