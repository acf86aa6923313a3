// A probe within TLS on a real connection, to a server that does what a machine in memory does not show.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include "probes/kinds.hpp"
#include "tests/probes/rig.hpp"

namespace belfry::probes {
namespace {

using test::LocalSocket;
using namespace std::chrono_literals;

// With a certificate that nobody has signed but itself.
SSL_CTX* server_settings() {
  SSL_CTX* const settings = SSL_CTX_new(TLS_server_method());
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  EXPECT_EQ(SSL_CTX_use_certificate(settings, certificate), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(settings, key), 1);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return settings;
}

// Says the same whenever it has heard something, until the client goes.
class TlsServer {
 public:
  // `asks_again`: for another handshake before it answers, as web servers do before TLS 1.3 where one path of
  // theirs asks for a certificate.
  explicit TlsServer(std::string_view answer, bool asks_again = false)
      : answer_(answer), asks_again_(asks_again), settings_(server_settings()) {
    if (asks_again_) {
      SSL_CTX_set_max_proto_version(settings_, TLS1_2_VERSION);
      SSL_CTX_clear_mode(settings_, SSL_MODE_AUTO_RETRY);  // a read ends with the handshake that came in it
    }
    thread_ = std::thread([this] { serve(); });
  }
  ~TlsServer() {
    ::shutdown(socket_.fd(), SHUT_RDWR);
    thread_.join();
    SSL_CTX_free(settings_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  [[nodiscard]] std::string text() const { return socket_.text(); }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void serve() {
    for (int client = 0; (client = ::accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0;
         ::close(client)) {
      ++connections_;
      SSL* const session = SSL_new(settings_);
      SSL_set_fd(session, client);
      if (SSL_accept(session) == 1) converse(session);
      SSL_free(session);
    }
  }
  void converse(SSL* session) const {
    std::array<char, 4096> heard{};
    while (SSL_read(session, heard.data(), heard.size()) > 0) {
      if (asks_again_) {
        SSL_renegotiate(session);
        SSL_do_handshake(session);
        SSL_read(session, heard.data(), heard.size());
      }
      SSL_write(session, answer_.data(), static_cast<int>(answer_.size()));
    }
  }

  const std::string answer_;
  const bool asks_again_;
  std::atomic<int> connections_ = 0;
  LocalSocket socket_;
  SSL_CTX* settings_;
  std::thread thread_;
};

constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

config::Probe spec_of(std::string target, bool verify) {
  config::Probe spec;
  spec.target = std::move(target);
  spec.tls = std::make_unique<config::TlsOptions>();
  spec.tls->verify = verify;
  return spec;
}

struct Rig {
  Loop loop;
  Resolver resolver{loop};
  test::Kernel kernel{loop};
};

TEST(TlsConnection, a_server_may_ask_for_another_handshake_before_it_answers) {
  Rig rig;
  TlsServer server("ok", true);
  config::Probe spec = spec_of(server.text(), false);
  spec.tcp = std::make_unique<config::TcpExpectation>();
  spec.tcp->send = "hello";
  spec.tcp->expect = "^ok$";
  const auto probe = make_tcp(rig.kernel.net(rig.resolver), spec, {});
  EXPECT_EQ(test::answer(rig.loop, **probe, 5s), "");
}

TEST(TlsConnection, when_a_certificate_ends_is_known_of_one_that_is_not_believed_too) {
  Rig rig;
  TlsServer server(ok);
  const auto probe =
      make_http(rig.kernel.net(rig.resolver), spec_of("https://" + server.text() + "/", true), {});
  EXPECT_FALSE((*probe)->certificate_expiry());
  EXPECT_TRUE(
      test::answer(rig.loop, **probe)
          .starts_with("cannot get / from " + server.text() + ": its certificate is not to be believed: "));
  ASSERT_TRUE((*probe)->certificate_expiry());
  const auto left = *(*probe)->certificate_expiry() - std::chrono::system_clock::now();
  EXPECT_GT(left, 50min);
  EXPECT_LT(left, 61min);
}

TEST(TlsConnection, a_plain_server_that_is_asked_for_tls_is_no_server) {
  Rig rig;
  LocalSocket redis;
  std::thread server([&redis] {
    const int client = ::accept4(redis.fd(), nullptr, nullptr, SOCK_CLOEXEC);
    ::send(client, "-ERR Protocol error\r\n", 21, MSG_NOSIGNAL);
    std::array<char, 4096> heard{};
    while (::read(client, heard.data(), heard.size()) > 0) {
    }
    ::close(client);
  });
  config::Probe spec;
  spec.target = "rediss://:s3cret@" + redis.text();
  auto probe = make_redis(rig.kernel.net(rig.resolver), spec, {});
  EXPECT_EQ(test::answer(rig.loop, **probe),
            "cannot ping redis at " + redis.text() + ": it does not speak TLS");
  ::shutdown(redis.fd(), SHUT_RDWR);  // should nobody have come
  server.join();
}

TEST(TlsConnection, is_kept_between_checks_that_come_often) {
  Rig rig;
  TlsServer server(ok);
  ProbeContext about;
  about.asked_every = 1s;
  const auto probe =
      make_http(rig.kernel.net(rig.resolver), spec_of("https://" + server.text() + "/", false), about);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(test::answer(rig.loop, **probe), "");
  EXPECT_EQ(server.connections(), 1);
  EXPECT_TRUE((*probe)->certificate_expiry());
}

}  // namespace
}  // namespace belfry::probes
