// The server's side against the client's of the same room, in memory.
#include "tls/server.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <string>

#include "tests/tls/certificates.hpp"
#include "tls/client.hpp"

namespace belfry::tls {
namespace {

using test::certificates;

config::HttpTls files(const std::string& name) {
  return {
      .cert = certificates().path(name + ".pem"), .key = certificates().path(name + ".key"), .client_ca = {}};
}

config::TlsOptions trusting(const std::string& ca) {
  config::TlsOptions options;
  options.ca = certificates().path(ca);
  return options;
}

// What is said to the server, and comes back in capitals of its own: empty when the handshake fails.
std::string converse(ServerSession& server, const config::TlsOptions& options, std::string_view alpn = {}) {
  Clients clients;
  ClientSession client(*clients.get(options), "db.internal", nullptr, alpn);
  std::string to_server, to_client;
  for (int round = 0; round < 10; ++round) {
    const auto shaken = client.handshake();
    if (shaken && *shaken) EXPECT_TRUE(client.encrypt("hello"));
    client.outgoing(to_server);
    server.incoming(std::exchange(to_server, {}));
    const auto taken = server.handshake();
    server.outgoing(to_client);
    client.incoming(std::exchange(to_client, {}));
    if (!shaken || !taken) return {};
    std::array<char, 100> heard{};
    const auto got = *taken ? server.decrypt(heard) : Result<std::size_t>(0);
    if (got && *got > 0) return std::string(heard.data(), *got);
  }
  return {};
}

TEST(TlsServer, shows_its_certificate_and_hears_what_is_said) {
  auto server = Server::load(files("good"));
  ASSERT_TRUE(server) << server.error().text();
  EXPECT_EQ(converse(*(*server)->accept(), trusting("ca.pem")), "hello");
  EXPECT_EQ(converse(*(*server)->accept(), trusting("alone.pem")), "");
}

TEST(TlsServer, lets_in_only_whom_its_authorities_vouch_for_where_there_are_some) {
  config::HttpTls strict = files("good");
  strict.client_ca = certificates().path("ca.pem");
  auto server = Server::load(strict);
  ASSERT_TRUE(server) << server.error().text();
  EXPECT_EQ(converse(*(*server)->accept(), trusting("ca.pem")), "");
  config::TlsOptions known = trusting("ca.pem");
  known.cert = certificates().path("client.pem");
  known.key = certificates().path("client.key");
  EXPECT_EQ(converse(*(*server)->accept(), known), "hello");
  config::TlsOptions stranger = trusting("ca.pem");
  stranger.cert = certificates().path("alone.pem");
  stranger.key = certificates().path("alone.key");
  EXPECT_EQ(converse(*(*server)->accept(), stranger), "");
}

TEST(TlsServer, speaks_http_1_1_and_says_no_to_whom_offers_only_something_else) {
  auto server = Server::load(files("good"));
  ASSERT_TRUE(server);
  EXPECT_EQ(converse(*(*server)->accept(), trusting("ca.pem"), "\x02h2\x08http/1.1"), "hello");
  EXPECT_EQ(converse(*(*server)->accept(), trusting("ca.pem"), "\x02h2"), "");
}

TEST(TlsServer, who_speaks_plain_http_is_known_for_it) {
  auto server = Server::load(files("good"));
  ASSERT_TRUE(server);
  const auto session = (*server)->accept();
  session->incoming("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_FALSE(session->handshake());
  EXPECT_TRUE(session->heard_plain_http());
  const auto other = (*server)->accept();
  other->incoming("SSH-2.0-OpenSSH_9.2\r\n");
  EXPECT_FALSE(other->handshake());
  EXPECT_FALSE(other->heard_plain_http());
}

TEST(TlsServer, a_renewed_certificate_is_used_by_the_next_connection_and_a_broken_one_is_not) {
  const std::string folder = certificates().path("renewed");
  std::filesystem::create_directory(folder);
  const config::HttpTls renewed{.cert = folder + "/tls.crt", .key = folder + "/tls.key", .client_ca = {}};
  const auto put = [&](const std::string& name) {
    using std::filesystem::copy_options;
    std::filesystem::copy_file(certificates().path(name + ".pem"), renewed.cert,
                               copy_options::overwrite_existing);
    std::filesystem::copy_file(certificates().path(name + ".key"), renewed.key,
                               copy_options::overwrite_existing);
  };
  put("alone");
  auto server = Server::load(renewed);
  ASSERT_TRUE(server);
  EXPECT_EQ(converse(*(*server)->accept(), trusting("ca.pem")), "");
  put("good");
  EXPECT_EQ(converse(*(*server)->accept(), trusting("ca.pem")), "hello");
  std::filesystem::resize_file(renewed.cert, 10);
  EXPECT_EQ(converse(*(*server)->accept(), trusting("ca.pem")), "hello");
  EXPECT_TRUE((*server)->take_trouble().starts_with("cannot read the certificate in " + renewed.cert));
  EXPECT_EQ((*server)->take_trouble(), "");  // once
}

TEST(TlsServer, files_that_cannot_be_used_are_named) {
  config::HttpTls wrong = files("good");
  wrong.key = certificates().path("client.key");
  const auto mixed = Server::load(wrong);
  ASSERT_FALSE(mixed);
  EXPECT_TRUE(mixed.error().text().starts_with("cannot use the private key in " + wrong.key))
      << mixed.error().text();
  wrong = files("good");
  wrong.client_ca = "/nowhere/ca.pem";
  const auto missing = Server::load(wrong);
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().text().starts_with("cannot read the authorities in /nowhere/ca.pem: "));
}

}  // namespace
}  // namespace belfry::tls
