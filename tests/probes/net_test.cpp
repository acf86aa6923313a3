// The probes that go over the network: tcp and http, against real sockets on loopback.
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "probes/kinds.hpp"
#include "probes/net/target.hpp"
#include "tests/probes/rig.hpp"

namespace belfry::probes {
namespace {

using config::HttpExpectation;
using test::answer;
using test::CannedServer;
using test::LocalSocket;
using namespace std::chrono_literals;

config::Probe spec(std::string target) {
  config::Probe probe;
  probe.target = std::move(target);
  return probe;
}

// Probes of nobody's run, as an external has them: whoever answers is right.
NetMeans means_for(Loop& loop, Resolver& resolver) {
  static auto& kept = *new std::vector<test::Kernel*>;  // for ever: longer than the probes, and the loops
  return kept.emplace_back(new test::Kernel(loop))->net(resolver);
}
Made make_tcp(Loop& loop, Resolver& resolver, const config::Probe& probe) {
  return probes::make_tcp(means_for(loop, resolver), probe, {});
}
Made make_http(Loop& loop, Resolver& resolver, const config::Probe& probe) {
  return probes::make_http(means_for(loop, resolver), probe, {});
}

// --- tcp

TEST(TcpProbe, is_true_when_a_connection_is_accepted) {
  Loop loop;
  Resolver resolver(loop);
  LocalSocket server;
  auto probe = make_tcp(loop, resolver, spec(server.text()));
  ASSERT_TRUE(probe);
  EXPECT_EQ(answer(loop, **probe), "");
  EXPECT_EQ(answer(loop, **probe), "");  // and again
}

TEST(TcpProbe, says_who_refused) {
  Loop loop;
  Resolver resolver(loop);
  LocalSocket bound(SOCK_STREAM, false, false);  // bound and not listening: refuses
  auto probe = make_tcp(loop, resolver, spec(bound.text()));
  EXPECT_EQ(answer(loop, **probe), "cannot connect to " + bound.text() + ": Connection refused");
}

// Runs `check` where the kernel has one port to give: who connects to it meets himself. What `check` says;
// nothing where no such place can be made.
std::optional<bool> answer_where_the_only_port_is(std::uint16_t port, const std::function<bool()>& check) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNET | (::geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0) ::_exit(2);
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq loopback{};
    std::strncpy(loopback.ifr_name, "lo", IFNAMSIZ - 1);
    loopback.ifr_flags = IFF_UP;
    if (::ioctl(socket, SIOCSIFFLAGS, &loopback) != 0) ::_exit(2);
    std::ofstream range("/proc/sys/net/ipv4/ip_local_port_range");
    range << port << ' ' << port << std::endl;
    ::_exit(!range ? 2 : check() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) return std::nullopt;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(TcpProbe, a_probe_that_meets_itself_is_not_fooled_and_leaves_the_port_free) {
  const std::optional<bool> holds = answer_where_the_only_port_is(40000, [] {
    Loop loop;
    Resolver resolver(loop);
    auto probe = make_tcp(loop, resolver, spec("127.0.0.1:40000"));
    const std::string said = answer(loop, **probe);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(40000);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);  // without SO_REUSEADDR
    return server >= 0 && said == "cannot connect to 127.0.0.1:40000: nobody listens, the probe met itself" &&
           ::bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  });
  if (!holds) GTEST_SKIP() << "no network namespace can be made here";
  EXPECT_TRUE(*holds);
}

TEST(TcpProbe, speaks_ipv6) {
  Loop loop;
  Resolver resolver(loop);
  LocalSocket server(SOCK_STREAM, true);
  auto probe = make_tcp(loop, resolver, spec("[::1]:" + std::to_string(server.port())));
  ASSERT_TRUE(probe);
  EXPECT_EQ(answer(loop, **probe), "");
}

TEST(TcpProbe, looks_names_up) {
  Loop loop;
  Resolver resolver(loop);
  LocalSocket server;
  auto probe = make_tcp(loop, resolver, spec("localhost:" + std::to_string(server.port())));
  EXPECT_EQ(answer(loop, **probe), "");
}

TEST(TcpProbe, a_target_without_a_port_is_refused_at_once) {
  Loop loop;
  Resolver resolver(loop);
  auto probe = make_tcp(loop, resolver, spec("localhost"));
  ASSERT_FALSE(probe);
  EXPECT_EQ(probe.error().kind(), Error::Kind::invalid);
}

TEST(TcpProbe, a_cancelled_check_ends_with_the_cause) {
  Loop loop;
  Resolver resolver(loop);
  LocalSocket full(SOCK_STREAM);
  ::listen(full.fd(), 0);
  // The queue of a listener that never accepts is filled, so that the next connection hangs.
  std::vector<std::unique_ptr<LocalSocket>> fillers;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(full.port());
  for (int i = 0; i < 4; ++i) {
    fillers.push_back(std::make_unique<LocalSocket>(SOCK_STREAM | SOCK_NONBLOCK, false, false));
    const int begun = ::connect(fillers.back()->fd(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    EXPECT_TRUE(begun == 0 || errno == EINPROGRESS);
  }
  auto probe = make_tcp(loop, resolver, spec(full.text()));
  probes::CheckResult outcome = test::ask_and_cancel(loop, **probe);
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().text().ends_with("the service is stopping")) << outcome.error().text();
  EXPECT_TRUE(answer(loop, **probe, 30ms).ends_with("deadline exceeded"));
}

// --- http

std::string url(const CannedServer& server, std::string path = "/health") {
  return "http://" + server.socket().text() + path;
}

template <class Change>
config::Probe expecting(const CannedServer& server, Change change) {
  config::Probe probe = spec(url(server));
  probe.http = std::make_unique<HttpExpectation>();
  change(*probe.http);
  return probe;
}

TEST(HttpProbe, two_hundred_is_true) {
  Loop loop;
  Resolver resolver(loop);
  CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  auto probe = make_http(loop, resolver, spec(url(server, "/health?deep=1")));
  ASSERT_TRUE(probe);
  EXPECT_EQ(answer(loop, **probe), "");
  std::string request = server.request();
  EXPECT_TRUE(request.starts_with("GET /health?deep=1 HTTP/1.1\r\n")) << request;
  EXPECT_TRUE(request.contains("Host: " + server.socket().text() + "\r\n")) << request;
}

TEST(HttpProbe, a_redirect_is_true_and_not_followed) {
  Loop loop;
  Resolver resolver(loop);
  CannedServer server("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  auto probe = make_http(loop, resolver, spec(url(server)));
  EXPECT_EQ(answer(loop, **probe), "");
}

TEST(HttpProbe, five_hundred_three_is_not) {
  Loop loop;
  Resolver resolver(loop);
  CannedServer server("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
  auto probe = make_http(loop, resolver, spec(url(server)));
  EXPECT_EQ(answer(loop, **probe),
            "cannot get /health from " + server.socket().text() + ": the answer was 503");
}

TEST(HttpProbe, statuses_can_be_narrowed) {
  Loop loop;
  Resolver resolver(loop);
  CannedServer server("HTTP/1.1 204 No Content\r\n\r\n");
  auto only_200 = make_http(loop, resolver, expecting(server, [](auto& e) { e.statuses = {{200, 200}}; }));
  EXPECT_TRUE(answer(loop, **only_200).ends_with("the answer was 204"));
  auto any_2xx = make_http(loop, resolver, expecting(server, [](auto& e) { e.statuses = {{200, 299}}; }));
  EXPECT_EQ(answer(loop, **any_2xx), "");
}

TEST(HttpProbe, method_and_headers_are_sent) {
  Loop loop;
  Resolver resolver(loop);
  CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
  auto probe = make_http(loop, resolver, expecting(server, [](auto& e) {
                           e.method = "HEAD";
                           e.headers = {{"X-Probe", "yes"}, {"Host", "db"}};
                         }));
  EXPECT_EQ(answer(loop, **probe), "");
  std::string request = server.request();
  EXPECT_TRUE(request.starts_with("HEAD /health ")) << request;
  EXPECT_TRUE(request.contains("X-Probe: yes\r\n")) << request;
  EXPECT_TRUE(request.contains("Host: db\r\n")) << request;
}

TEST(HttpProbe, the_body_can_be_asked_for) {
  Loop loop;
  Resolver resolver(loop);
  CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"status\": \"up\"}");
  auto up = make_http(loop, resolver, expecting(server, [](auto& e) { e.body = "\"status\": *\"up\""; }));
  EXPECT_EQ(answer(loop, **up), "");
  auto down = make_http(loop, resolver, expecting(server, [](auto& e) { e.body = "down"; }));
  EXPECT_TRUE(answer(loop, **down).ends_with("the body does not match"));
}

TEST(HttpProbe, a_body_may_come_in_chunks_or_end_with_the_connection) {
  Loop loop;
  Resolver resolver(loop);
  for (const char* answered :
       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nis\r\n3\r\n up\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nis up"}) {
    CannedServer server(answered);
    auto up = make_http(loop, resolver, expecting(server, [](auto& e) { e.body = "^is up$"; }));
    EXPECT_EQ(answer(loop, **up), "") << answered;
  }
}

TEST(HttpProbe, a_body_that_breaks_off_is_no_answer) {
  Loop loop;
  Resolver resolver(loop);
  CannedServer server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nup\r\n");
  auto up = make_http(loop, resolver, expecting(server, [](auto& e) { e.body = "up"; }));
  EXPECT_NE(answer(loop, **up), "");
}

TEST(HttpProbe, names_are_looked_up_and_sent_as_they_are_written) {
  Loop loop;
  Resolver resolver(loop);
  CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const std::string authority = "localhost:" + std::to_string(server.socket().port());
  auto probe = make_http(loop, resolver, spec("http://" + authority + "/"));
  EXPECT_EQ(answer(loop, **probe), "");
  EXPECT_TRUE(server.request().contains("Host: " + authority + "\r\n"));
}

TEST(HttpProbe, a_json_answer_is_looked_into) {
  Loop loop;
  Resolver resolver(loop);
  CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"status\": \"up\"}");
  auto up = make_http(loop, resolver, expecting(server, [](auto& e) { e.json = {"/status", "up"}; }));
  EXPECT_EQ(answer(loop, **up), "");
  auto ok = make_http(loop, resolver, expecting(server, [](auto& e) { e.json = {"/status", "ok"}; }));
  EXPECT_EQ(answer(loop, **ok),
            "cannot get /health from " + server.socket().text() + ": /status is \"up\", not ok");
}

TEST(HttpProbe, garbage_is_no_answer) {
  Loop loop;
  Resolver resolver(loop);
  CannedServer server("SSH-2.0-OpenSSH_9.2\r\n");
  auto probe = make_http(loop, resolver, spec(url(server)));
  EXPECT_TRUE(answer(loop, **probe).starts_with("cannot get /health from ")) << answer(loop, **probe);
}

TEST(HttpProbe, an_endless_body_is_cut_off) {
  Loop loop;
  Resolver resolver(loop);
  CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n");
  auto probe = make_http(loop, resolver, expecting(server, [](auto& e) { e.body = "x"; }));
  EXPECT_NE(answer(loop, **probe), "");
}

TEST(HttpProbe, silence_ends_at_the_deadline) {
  Loop loop;
  Resolver resolver(loop);
  LocalSocket silent;
  auto probe = make_http(loop, resolver, spec("http://" + silent.text() + "/"));
  EXPECT_EQ(answer(loop, **probe, 30ms), "cannot get / from " + silent.text() + ": deadline exceeded");
  probes::CheckResult outcome = test::ask_and_cancel(loop, **probe);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind(), Error::Kind::cancelled);
}

TEST(HttpProbe, a_bad_expression_is_refused_when_it_is_made) {
  Loop loop;
  Resolver resolver(loop);
  config::Probe bad = spec("http://127.0.0.1:1/");
  bad.http = std::make_unique<HttpExpectation>();
  bad.http->body = "(";
  EXPECT_FALSE(make_http(loop, resolver, bad));
  EXPECT_FALSE(make_http(loop, resolver, spec("gopher://127.0.0.1/")));
}

// An output of another service may have come into the URL and the headers after the file was read.
TEST(HttpProbe, a_request_cannot_be_ended_by_what_it_is_made_of) {
  Loop loop;
  Resolver resolver(loop);
  const std::string in_url =
      ": there is a blank or another character in it that no URL may have: percent-encode it";
  for (const std::string target : {"http://127.0.0.1:1/a\r\nX:b", "http://127.0.0.1:1/a HTTP/1.1",
                                   "http://a\rb:1/", "http://127.0.0.1:1/ä"}) {
    const auto refused = make_http(loop, resolver, spec(target));
    ASSERT_FALSE(refused) << target;
    EXPECT_TRUE(refused.error().text().ends_with(in_url)) << refused.error().text();
  }
  const auto elsewhere = make_http(loop, resolver, spec("http://127.0.0.1:1@127.0.0.2:2/"));
  ASSERT_FALSE(elsewhere);
  EXPECT_TRUE(elsewhere.error().text().contains("it names a user")) << elsewhere.error().text();
  for (const char* value : {"a\r\nX: b", "a\rb", "a\nb", "a\x7f"}) {
    config::Probe probe = spec("http://127.0.0.1:1/");
    probe.http = std::make_unique<HttpExpectation>();
    probe.http->headers = {{"X-Token", value}};
    const auto refused = make_http(loop, resolver, probe);
    ASSERT_FALSE(refused);
    EXPECT_EQ(
        refused.error().text(),
        "cannot probe http://127.0.0.1:1/: the value of the header `X-Token` holds a line break or another "
        "control character, which no request may have");
  }
}

// A server that keeps its connections, unless told to close each after so many answers. Counts them.
class KeepingServer {
 public:
  explicit KeepingServer(int answers_each) : answers_each_(answers_each), thread_([this] { serve(); }) {}
  ~KeepingServer() {
    ::shutdown(socket_.fd(), SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] std::string url() const { return "http://" + socket_.text() + "/"; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void serve() {
    for (int client = 0; (client = ::accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0;
         ::close(client)) {
      ++connections_;
      char buffer[4096];
      for (int left = answers_each_; left > 0 && ::read(client, buffer, sizeof buffer) > 0; --left)
        ::send(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 40, MSG_NOSIGNAL);
    }
  }
  const int answers_each_;
  std::atomic<int> connections_ = 0;
  LocalSocket socket_;
  std::thread thread_;
};

// How many connections five checks take of a probe that is asked so often once it is true.
int connections_of_five_checks(int answers_each, std::optional<Duration> asked_every) {
  Loop loop;
  Resolver resolver(loop);
  KeepingServer server(answers_each);
  ProbeContext about;
  about.asked_every = asked_every;
  auto probe = probes::make_http(means_for(loop, resolver), spec(server.url()), about);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(answer(loop, **probe), "");
  return server.connections();
}

TEST(HttpProbe, a_connection_is_kept_between_checks_that_come_often) {
  EXPECT_EQ(connections_of_five_checks(100, 1s), 1);
  EXPECT_EQ(connections_of_five_checks(1, 1min), 5);
  EXPECT_EQ(connections_of_five_checks(1, std::nullopt), 5);
}

TEST(HttpProbe, a_kept_connection_that_the_server_has_closed_is_made_anew_within_the_check) {
  EXPECT_EQ(connections_of_five_checks(1, 1s), 5);
  EXPECT_EQ(connections_of_five_checks(2, 1s), 3);
}

// At a unix socket, where what was sent has come when send(2) returns.
TEST(HttpProbe, what_is_said_unasked_on_a_kept_connection_is_nobodys_answer) {
  Loop loop;
  Resolver resolver(loop);
  const std::string name = "belfry-kept-" + std::to_string(::getpid());
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 8), 0);
  int client = -1;
  const auto serve_one = [&client, listener] {
    client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    char buffer[4096];
    if (::read(client, buffer, sizeof buffer) > 0)
      ::send(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 40, MSG_NOSIGNAL);
  };
  ProbeContext about;
  about.asked_every = 1s;
  auto probe = probes::make_http(means_for(loop, resolver), spec("http+unix://%40" + name + "/"), about);
  std::thread server(serve_one);
  EXPECT_EQ(answer(loop, **probe), "");
  server.join();
  const std::string_view late =
      "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  const int first = client;
  ::send(first, late.data(), late.size(), MSG_NOSIGNAL);
  ::shutdown(first, SHUT_WR);
  std::thread next(serve_one);
  EXPECT_EQ(answer(loop, **probe), "");
  ::shutdown(listener, SHUT_RDWR);  // should nobody have come
  next.join();
  ::close(first);
  ::close(client);
  ::close(listener);
}

TEST(HttpProbe, who_began_to_answer_and_stopped_is_told_apart_from_who_is_silent) {
  Loop loop;
  Resolver resolver(loop);
  LocalSocket socket;
  const std::jthread server([&] {
    const int client = ::accept4(socket.fd(), nullptr, nullptr, SOCK_CLOEXEC);
    ::send(client, "HTTP/1.1", 8, MSG_NOSIGNAL);
    char buffer[4096];
    while (::read(client, buffer, sizeof buffer) > 0) {
    }
    ::close(client);
  });
  auto probe = make_http(loop, resolver, spec("http://" + socket.text() + "/"));
  EXPECT_EQ(answer(loop, **probe, 100ms),
            "cannot get / from " + socket.text() + ": 8 bytes of an answer have come: deadline exceeded");
}

TEST(TcpProbe, says_and_hears_what_the_file_asks_for) {
  Loop loop;
  Resolver resolver(loop);
  CannedServer server("+PONG\r\n");
  config::Probe probe = spec(server.socket().text());
  probe.tcp = std::make_unique<config::TcpExpectation>();
  probe.tcp->send = "PING\r\n\r\n";
  probe.tcp->expect = "PONG";
  auto pong = make_tcp(loop, resolver, probe);
  EXPECT_EQ(answer(loop, **pong), "");
  probe.tcp->expect = "HELLO";
  auto hello = make_tcp(loop, resolver, probe);
  EXPECT_EQ(answer(loop, **hello),
            "cannot talk to " + server.socket().text() +
                ": it closed the connection, and `expect` does not match \"+PONG\\r\\n\"");
}

// --- targets

TEST(Url, parts_are_found_and_decoded) {
  EXPECT_EQ(parse_url("http://db", 80)->target.text(), "db:80");
  EXPECT_EQ(parse_url("HTTP://db", 80)->path, "/");
  EXPECT_EQ(parse_url("http://db?x=1")->path, "/?x=1");
  EXPECT_EQ(parse_url("http://[::1]/a")->target.host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:8080/a")->target.port, 8080);
  EXPECT_EQ(parse_url("http://[fe80::1%25lo]:8080/a")->target.host, "fe80::1%lo");
  EXPECT_EQ(parse_url("redis://u:p%40q@db:1/0")->user, "u");
  EXPECT_EQ(parse_url("redis://u:p%40q@db:1/0")->password, "p@q");
  EXPECT_EQ(parse_url("http+unix://%2Frun%2Fx.sock/a")->target.socket_path, "/run/x.sock");
  EXPECT_EQ(parse_url("http+unix://%2Frun%2Fx.sock/a")->path, "/a");
}

TEST(Url, what_is_none_is_refused) {
  for (const char* text : {"db:80", "http://", "http://:80/", "http://a:0/", "http://a%2/", "http://u%0@a/",
                           "http+unix://a/b", "http://a:b/"})
    EXPECT_FALSE(parse_url(text, 80)) << text;
}

}  // namespace
}  // namespace belfry::probes
