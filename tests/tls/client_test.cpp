// TLS against a server of the same library in memory: no sockets, real certificates, made here.
#include "tls/client.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>

#include "tests/tls/certificates.hpp"

namespace belfry::tls {
namespace {

using test::certificates;

config::TlsOptions trusting_file(const std::string& path) {
  config::TlsOptions options;
  options.ca = path;
  return options;
}
config::TlsOptions trusting(const std::string& ca) { return trusting_file(certificates().path(ca)); }
config::TlsOptions trusting_all() {
  config::TlsOptions options;
  options.verify = false;
  return options;
}

class Peer {
 public:
  explicit Peer(const std::string& name) : settings_(SSL_CTX_new(TLS_server_method())) {
    EXPECT_EQ(
        SSL_CTX_use_certificate_file(settings_, certificates().path(name + ".pem").c_str(), SSL_FILETYPE_PEM),
        1);
    EXPECT_EQ(
        SSL_CTX_use_PrivateKey_file(settings_, certificates().path(name + ".key").c_str(), SSL_FILETYPE_PEM),
        1);
    SSL_CTX_set_session_id_context(settings_, reinterpret_cast<const unsigned char*>("t"), 1);
  }
  ~Peer() {
    SSL_free(session_);
    SSL_CTX_free(settings_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  void speak_only(int version) {
    SSL_CTX_set_min_proto_version(settings_, version);
    SSL_CTX_set_max_proto_version(settings_, version);
  }
  void ask_for_certificate() {
    SSL_CTX_load_verify_locations(settings_, certificates().path("ca.pem").c_str(), nullptr);
    SSL_CTX_set_verify(settings_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  void speak_http2_only() {
    SSL_CTX_set_alpn_select_cb(
        settings_,
        [](SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in, unsigned size,
           void*) {
          const std::string_view offered(reinterpret_cast<const char*>(in), size);
          if (!offered.contains("h2")) return SSL_TLSEXT_ERR_ALERT_FATAL;
          *out = in + 1;
          *length = 2;
          return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
  }
  void accept() {
    SSL_free(session_);
    session_ = SSL_new(settings_);
    SSL_set_bio(session_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(session_);
  }
  // Takes what came, and says "ok" once it has heard something.
  std::string hear(std::string_view bytes) {
    BIO_write(SSL_get_rbio(session_), bytes.data(), static_cast<int>(bytes.size()));
    std::array<char, 100> heard{};
    if (SSL_read(session_, heard.data(), heard.size()) > 0) SSL_write(session_, "ok", 2);
    ERR_clear_error();
    std::string out(BIO_ctrl_pending(SSL_get_wbio(session_)), '\0');
    if (!out.empty()) BIO_read(SSL_get_wbio(session_), out.data(), static_cast<int>(out.size()));
    return out;
  }
  [[nodiscard]] const char* name_asked_for() const {
    return SSL_get_servername(session_, TLSEXT_NAMETYPE_host_name);
  }

 private:
  SSL_CTX* settings_;
  SSL* session_ = nullptr;
};

struct Spoken {
  std::string error;  // empty: "ok" was heard
  bool resumed = false;
  std::optional<std::chrono::system_clock::time_point> expiry = {};
};

Spoken speak(Peer& server, const config::TlsOptions& options, const std::string& host,
             Resumption* resumption = nullptr, std::string_view alpn = {}) {
  Clients clients;
  auto client = clients.get(options);
  if (!client) return {.error = client.error().text()};
  ClientSession session(*client, host, resumption, alpn);
  server.accept();
  bool done = false;
  for (int round = 0; round < 10; ++round) {
    std::string out;
    if (!done) {
      const auto shaken = session.handshake();
      session.outgoing(out);
      if (!shaken) return {shaken.error().text(), false, session.expiry()};
      done = *shaken;
      if (done) EXPECT_TRUE(session.encrypt("hello"));
    }
    session.outgoing(out);
    session.incoming(server.hear(out));
    if (!done) continue;
    std::array<char, 100> heard{};
    const auto got = session.decrypt(heard);
    if (!got) return {got.error().text(), false, session.expiry()};
    if (*got > 0) return {{}, session.resumed(), session.expiry()};
  }
  return {.error = "nothing was heard"};
}

TEST(Tls, a_server_that_an_authority_vouches_for_is_believed) {
  Peer server("good");
  EXPECT_EQ(speak(server, trusting("ca.pem"), "db.internal").error, "");
  EXPECT_STREQ(server.name_asked_for(), "db.internal");
  EXPECT_EQ(speak(server, trusting("ca.pem"), "127.0.0.1").error, "");  // by its address
  EXPECT_EQ(server.name_asked_for(), nullptr);                          // SNI is for names
}

TEST(Tls, who_is_not_to_be_believed_is_told_why) {
  const std::string said = "its certificate is not to be believed: ";
  Peer good("good");
  EXPECT_EQ(speak(good, trusting("ca.pem"), "other.internal").error, said + "hostname mismatch");
  EXPECT_EQ(speak(good, trusting("ca.pem"), "127.0.0.2").error, said + "IP address mismatch");
  EXPECT_EQ(speak(good, trusting("alone.pem"), "db.internal").error,
            said + "unable to get local issuer certificate");
  Peer expired("expired");
  const Spoken late = speak(expired, trusting("ca.pem"), "db.internal");
  EXPECT_EQ(late.error, said + "certificate has expired");
  ASSERT_TRUE(late.expiry);  // all the same
  EXPECT_LT(*late.expiry, std::chrono::system_clock::now());
}

TEST(Tls, the_zone_of_an_address_does_not_hide_whom_the_certificate_must_be_for) {
  const std::string mismatch = "its certificate is not to be believed: IP address mismatch";
  Peer good("good");
  EXPECT_EQ(speak(good, trusting("ca.pem"), "fe80::1").error, mismatch);
  EXPECT_EQ(speak(good, trusting("ca.pem"), "fe80::1%lo").error, mismatch);
  Peer linked("linked");
  EXPECT_EQ(speak(linked, trusting("ca.pem"), "fe80::1%lo").error, "");
}

TEST(Tls, a_name_that_no_certificate_can_be_for_is_no_name_for_all) {
  Peer good("good");
  EXPECT_EQ(speak(good, trusting("ca.pem"), std::string(300, 'a')).error,
            "no certificate can be for a server of this name");
  EXPECT_NE(speak(good, trusting("ca.pem"), ".").error, "");
}

TEST(Tls, the_dot_behind_a_whole_name_is_not_part_of_it) {
  Peer server("good");
  EXPECT_EQ(speak(server, trusting("ca.pem"), "db.internal.").error, "");
  EXPECT_STREQ(server.name_asked_for(), "db.internal");
}

TEST(Tls, self_signed_is_believed_when_it_is_its_own_authority_or_nobody_asks) {
  Peer alone("alone");
  EXPECT_EQ(speak(alone, trusting("ca.pem"), "db.internal").error,
            "its certificate is not to be believed: self-signed certificate");
  EXPECT_EQ(speak(alone, trusting("alone.pem"), "db.internal").error, "");
  EXPECT_EQ(speak(alone, trusting_all(), "whoever").error, "");
}

TEST(Tls, a_certificate_is_shown_to_whom_asks_for_it) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Peer server("good");
    server.speak_only(version);
    server.ask_for_certificate();
    config::TlsOptions options = trusting("ca.pem");
    EXPECT_NE(speak(server, options, "db.internal").error, "");
    if (version == TLS1_3_VERSION)
      EXPECT_TRUE(speak(server, options, "db.internal")
                      .error.starts_with("it asks for a certificate of the client's"));
    options.cert = certificates().path("client.pem");
    options.key = certificates().path("client.key");
    EXPECT_EQ(speak(server, options, "db.internal").error, "");
  }
}

TEST(Tls, a_session_is_resumed_at_the_second_check) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Peer server("good");
    server.speak_only(version);
    Resumption resumption;
    const Spoken first = speak(server, trusting("ca.pem"), "db.internal", &resumption);
    EXPECT_EQ(first.error, "");
    EXPECT_FALSE(first.resumed);
    const Spoken second = speak(server, trusting("ca.pem"), "db.internal", &resumption);
    EXPECT_EQ(second.error, "");
    EXPECT_TRUE(second.resumed) << version;
    EXPECT_EQ(first.expiry, second.expiry);
  }
}

TEST(Tls, the_end_of_the_certificate_is_told) {
  using namespace std::chrono_literals;
  Peer server("short");
  const Spoken spoken = speak(server, trusting("ca.pem"), "db.internal");
  ASSERT_TRUE(spoken.expiry);
  const auto left = *spoken.expiry - std::chrono::system_clock::now();
  EXPECT_GT(left, 23h);
  EXPECT_LT(left, 25h);
}

TEST(Tls, another_protocol_is_named) {
  Peer http2("good");
  http2.speak_http2_only();
  EXPECT_TRUE(speak(http2, trusting("ca.pem"), "db.internal", nullptr, "\x08http/1.1")
                  .error.ends_with("HTTP/2 only?"));
  for (const std::string_view answer :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "220 mail ESMTP\r\n"}) {
    Clients clients;
    ClientSession session(*clients.get(trusting("ca.pem")), "db.internal", nullptr);
    EXPECT_EQ(session.handshake(), false);
    session.incoming(answer);
    const auto shaken = session.handshake();
    ASSERT_FALSE(shaken);
    EXPECT_EQ(shaken.error().text(), "it does not speak TLS") << answer;
  }
}

TEST(Tls, files_that_cannot_be_used_are_named) {
  Clients clients;
  const auto none = clients.get(trusting_file("/nowhere/ca.pem"));
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().text().starts_with("cannot read the authorities in /nowhere/ca.pem: "))
      << none.error().text();
  config::TlsOptions mixed = trusting("ca.pem");
  mixed.cert = certificates().path("client.pem");
  mixed.key = certificates().path("good.key");
  const auto wrong = clients.get(mixed);
  ASSERT_FALSE(wrong);
  EXPECT_TRUE(wrong.error().text().contains("key values mismatch")) << wrong.error().text();
  mixed.key = certificates().path("locked.key");
  const auto locked = clients.get(mixed);
  ASSERT_FALSE(locked);
  EXPECT_TRUE(locked.error().text().starts_with("cannot use the private key in " + mixed.key +
                                                ": it is encrypted, and nobody is asked for a passphrase"))
      << locked.error().text();
}

}  // namespace
}  // namespace belfry::tls
