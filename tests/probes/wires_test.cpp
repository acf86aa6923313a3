// The probes of gRPC, Redis, AMQP, memcached and DNS against sockets on loopback: targets, messages, secrets.
#include <gtest/gtest.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "probes/kinds.hpp"
#include "tests/probes/net/fake_name_server.hpp"
#include "tests/probes/protocols/http2_frames.hpp"
#include "tests/probes/rig.hpp"

namespace belfry::probes {
namespace {

using test::answer;
using test::DnsRequest;
using test::FakeNameServer;
using test::LocalSocket;
using test::RecordType;
using namespace std::chrono_literals;
using namespace std::string_view_literals;
using Maker = Made (*)(NetMeans, const config::Probe&, const ProbeContext&);

// Says the same to everybody who connects, at once, and listens until he goes.
class Greeter {
 public:
  explicit Greeter(std::string_view words) : words_(words), thread_([this] { serve(); }) {}
  ~Greeter() {
    ::shutdown(socket_.fd(), SHUT_RDWR);
    thread_.join();
  }
  Greeter(const Greeter&) = delete;
  Greeter& operator=(const Greeter&) = delete;
  [[nodiscard]] std::string text() const { return socket_.text(); }

 private:
  void serve() {
    for (;;) {
      const int client = ::accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      ::send(client, words_.data(), words_.size(), MSG_NOSIGNAL);
      char buffer[4096];
      while (::read(client, buffer, sizeof buffer) > 0) {
      }
      ::close(client);
    }
  }
  LocalSocket socket_;
  std::string words_;
  std::thread thread_;
};

struct Rig {
  Loop loop;
  Resolver resolver{loop};
  test::Kernel kernel{loop};

  Made make(Maker maker, std::string target) {
    config::Probe spec;
    spec.target = std::move(target);
    return maker(kernel.net(resolver), spec, {});
  }
  // "" when it is true, else why not, also when it cannot be made.
  std::string said(Maker maker, std::string target, Duration patience = 10s) {
    auto probe = make(maker, std::move(target));
    return probe ? answer(loop, **probe, patience) : probe.error().text();
  }
  std::string looked_up(std::string name, std::string server = {}, Duration patience = 10s) {
    config::Probe spec;
    spec.target = std::move(name);
    if (!server.empty()) spec.server = std::move(server);
    auto probe = make_dns(kernel.net(resolver), spec);
    return probe ? answer(loop, **probe, patience) : probe.error().text();
  }
};

TEST(Wires, each_takes_the_answer_of_its_server) {
  Rig rig;
  Greeter memcached("VERSION 1.6.18\r\n");
  EXPECT_EQ(rig.said(make_memcached, memcached.text()), "");
  Greeter redis("+PONG\r\n");
  EXPECT_EQ(rig.said(make_redis, redis.text()), "");
  EXPECT_EQ(rig.said(make_redis, "redis://" + redis.text()), "");
  Greeter broker("\1\0\0\0\0\0\x12\0\x0A\0\x0A\0\x09\0\0\0\0\0\0\0\0\0\0\0\0\xCE"sv);
  EXPECT_EQ(rig.said(make_amqp, broker.text()), "");
  EXPECT_EQ(rig.said(make_amqp, "amqp://guest:guest@" + broker.text() + "/vhost"), "");
  Greeter grpc(test::health_answer("\x08\x01"));
  EXPECT_EQ(rig.said(make_grpc, grpc.text()), "");
  EXPECT_EQ(rig.said(make_grpc, grpc.text() + "/shop.Cart"), "");
}

TEST(Wires, the_message_says_whom_what_and_why) {
  Rig rig;
  Greeter web("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(rig.said(make_memcached, web.text()), "cannot ask memcached at " + web.text() +
                                                      " for its version: it speaks HTTP and not memcached's "
                                                      "protocol");
  EXPECT_EQ(rig.said(make_redis, web.text()),
            "cannot ping redis at " + web.text() + ": it speaks HTTP and not Redis' protocol");
  EXPECT_EQ(rig.said(make_amqp, web.text()),
            "cannot greet the broker at " + web.text() + ": it speaks HTTP and not AMQP 0-9-1");
  EXPECT_EQ(
      rig.said(make_grpc, web.text() + "/shop"),
      "cannot ask " + web.text() + " for the health of shop: it speaks HTTP and not HTTP/2, as gRPC does");
  LocalSocket bound(SOCK_STREAM, false, false);
  EXPECT_EQ(rig.said(make_redis, bound.text()), "cannot connect to " + bound.text() + ": Connection refused");
}

TEST(Wires, a_silent_server_ends_with_the_attempt) {
  Rig rig;
  LocalSocket silent;
  for (const Maker maker : {make_memcached, make_redis, make_amqp, make_grpc}) {
    const std::string said = rig.said(maker, silent.text(), 30ms);
    EXPECT_TRUE(said.ends_with(": deadline exceeded")) << said;
  }
}

TEST(Wires, a_password_is_never_told) {
  Rig rig;
  Greeter redis("-ERR unknown command 'AUTH', with args beginning with: 's3cret'\r\n");
  for (const std::string& target :
       {"redis://:s3cret@" + redis.text(), "redis://:s3cret@" + redis.text() + "/x",
        std::string("redis://:s3cret@"), std::string("http://:s3cret@127.0.0.1:1"),
        std::string("redis://:s3cret%@127.0.0.1:1")}) {
    const std::string said = rig.said(make_redis, target);
    EXPECT_NE(said, "") << target;
    EXPECT_FALSE(said.contains("s3cret")) << said;
  }
}

TEST(Wires, redis_is_found_at_a_socket) {
  Rig rig;
  std::string place = "/tmp/belfry-wires-XXXXXX";
  ASSERT_NE(::mkdtemp(place.data()), nullptr);
  const std::string path = place + "/redis.sock";
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 8), 0);
  std::thread server([listener] {
    for (int i = 0; i < 3; ++i) {
      const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      ::send(client, "+PONG\r\n", 7, MSG_NOSIGNAL);
      char buffer[64];
      while (::read(client, buffer, sizeof buffer) > 0) {
      }
      ::close(client);
    }
  });
  EXPECT_EQ(rig.said(make_redis, path), "");
  EXPECT_EQ(rig.said(make_redis, "unix:" + path), "");
  EXPECT_EQ(rig.said(make_redis, "unix://" + path), "");
  server.join();
  ::close(listener);
  ::unlink(path.c_str());
  ::rmdir(place.c_str());
  EXPECT_EQ(rig.said(make_redis, path), "cannot connect to " + path + ": No such file or directory");
}

// --- dns

TEST(DnsProbe, the_server_that_is_named_is_asked_for_the_name_as_it_is) {
  Rig rig;
  FakeNameServer server(rig.loop, [](const DnsRequest& request) -> std::vector<std::string> {
    if (request.type == RecordType::aaaa) return {test::reply(request, test::no_error)};
    return {test::reply(request, test::no_error, {test::v4(request.name, "10.0.0.1")})};
  });
  EXPECT_EQ(rig.looked_up("db", server.address()), "");
  EXPECT_EQ(rig.looked_up("db.internal", server.address()), "");
  for (const std::string& asked : server.asked())
    EXPECT_TRUE(asked.starts_with("db A") || asked.starts_with("db.internal A")) << asked;
}

TEST(DnsProbe, an_ipv6_address_is_one) {
  Rig rig;
  FakeNameServer server(rig.loop, [](const DnsRequest& request) -> std::vector<std::string> {
    if (request.type == RecordType::a) return {test::reply(request, test::no_error)};
    return {test::reply(request, test::no_error, {test::v6(request.name, "fd00::1")})};
  });
  EXPECT_EQ(rig.looked_up("db.internal", server.address()), "");
}

TEST(DnsProbe, the_reason_is_named) {
  Rig rig;
  unsigned code = test::no_such_name;
  FakeNameServer server(rig.loop, [&code](const DnsRequest& request) -> std::vector<std::string> {
    return {test::reply(request, code)};
  });
  const std::string what = "cannot look up db.internal at " + server.address() + ": ";
  EXPECT_EQ(rig.looked_up("db.internal", server.address()), what + "no such name");
  code = test::no_error;
  EXPECT_EQ(rig.looked_up("db.internal", server.address()), what + "the name has no address");
  code = test::server_failure;
  EXPECT_EQ(rig.looked_up("db.internal", server.address()),
            what + "no name server gave an answer (SERVFAIL from 127.0.0.1; asked 127.0.0.1)");
  code = test::refused;
  EXPECT_EQ(rig.looked_up("db.internal", server.address()),
            what + "no name server gave an answer (REFUSED from 127.0.0.1; asked 127.0.0.1)");
}

TEST(DnsProbe, a_silent_server_ends_with_the_attempt) {
  Rig rig;
  FakeNameServer server(rig.loop, [](const DnsRequest&) { return std::vector<std::string>(); });
  EXPECT_EQ(rig.looked_up("db.internal", server.address(), 50ms),
            "cannot look up db.internal at " + server.address() +
                ": no name server has answered yet (asked 127.0.0.1): deadline exceeded");
}

TEST(DnsProbe, without_a_server_the_host_is_asked) {
  Rig rig;
  EXPECT_EQ(rig.looked_up("localhost"), "");
}

TEST(DnsProbe, an_address_is_no_name) {
  Rig rig;
  EXPECT_EQ(rig.looked_up("10.0.0.1", "127.0.0.1:53"),
            "cannot probe 10.0.0.1: it is an address, and no name");
}

}  // namespace
}  // namespace belfry::probes
