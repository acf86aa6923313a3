#include "tls/server.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <utility>

#include "system/file_stamp.hpp"
#include "tls/engine.hpp"

namespace belfry::tls {

namespace {

using Stamps = std::array<system::FileStamp, 3>;

Stamps stamps_of(const config::HttpTls& files) {
  const auto of = [](const std::string& path) {
    return path.empty() ? system::FileStamp() : system::FileStamp::of(path.c_str());
  };
  return {of(files.cert), of(files.key), of(files.client_ca)};
}

// HTTP/1.1 is all that is spoken behind it; a client that offers only other protocols is told (RFC
// 7301, 3.2).
int choose_http_1_1(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  static constexpr std::array<unsigned char, 9> ours{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* found = nullptr;
  const int outcome = SSL_select_next_proto(&found, size, ours.data(), ours.size(), offered, offered_size);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Only who has a certificate of these authorities is let in.
Result<void> ask_for_certificates(SSL_CTX* settings, const std::string& authorities) {
  if (authorities.empty()) return {};
  STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(authorities.c_str());
  if (names == nullptr || SSL_CTX_load_verify_locations(settings, authorities.c_str(), nullptr) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return std::unexpected(
        Error(Error::Kind::invalid, "cannot read the authorities in " + authorities + ": " + last_words()));
  }
  SSL_CTX_set_client_CA_list(settings, names);
  SSL_CTX_set_verify(settings, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

Result<Settings> read(const config::HttpTls& files) {
  ERR_clear_error();
  Settings settings(SSL_CTX_new(TLS_server_method()));
  if (!settings) return std::unexpected(Error(Error::Kind::system, "cannot set up TLS: " + last_words()));
  SSL_CTX_set_min_proto_version(settings.get(), TLS1_2_VERSION);
  // A client may not ask for one handshake after the other on the same connection.
  SSL_CTX_set_options(settings.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(settings.get(), SSL_MODE_RELEASE_BUFFERS);
  // Tickets take up sessions again; a cache here would be memory that clients fill.
  SSL_CTX_set_session_cache_mode(settings.get(), SSL_SESS_CACHE_OFF);
  static constexpr std::array<unsigned char, 6> context{'b', 'e', 'l', 'f', 'r', 'y'};
  SSL_CTX_set_session_id_context(settings.get(), context.data(), context.size());
  SSL_CTX_set_alpn_select_cb(settings.get(), &choose_http_1_1, nullptr);
  if (auto good = use_certificate(settings.get(), files.cert, files.key); !good)
    return std::unexpected(good.error());
  if (auto good = ask_for_certificates(settings.get(), files.client_ca); !good)
    return std::unexpected(good.error());
  return settings;
}

}  // namespace

struct ServerSession::State {
  explicit State(SSL_CTX* settings) : engine(settings) { SSL_set_accept_state(engine.ssl()); }
  Engine engine;
};

ServerSession::ServerSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServerSession::~ServerSession() = default;

void ServerSession::incoming(std::string_view bytes) { state_->engine.incoming(bytes); }
void ServerSession::outgoing(std::string& out) { state_->engine.outgoing(out); }
Result<bool> ServerSession::handshake() { return state_->engine.handshake(); }
Result<void> ServerSession::encrypt(std::string_view plain) { return state_->engine.encrypt(plain); }
Result<std::size_t> ServerSession::decrypt(std::span<char> plain) { return state_->engine.decrypt(plain); }
Result<bool> ServerSession::has_plain() { return state_->engine.has_plain(); }
void ServerSession::say_goodbye() { state_->engine.say_goodbye(); }
bool ServerSession::closed() const { return state_->engine.closed(); }
bool ServerSession::heard_plain_http() const { return state_->engine.heard_plain_http(); }

struct Server::State {
  config::HttpTls files;
  Stamps stamps;
  Settings settings;
  std::string trouble;
};

Result<std::unique_ptr<Server>> Server::load(const config::HttpTls& files) {
  const Stamps stamps = stamps_of(files);
  auto settings = read(files);
  if (!settings) return std::unexpected(settings.error());
  auto state = std::make_unique<State>(files, stamps, std::move(*settings), std::string());
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;

std::unique_ptr<ServerSession> Server::accept() {
  if (const Stamps now = stamps_of(state_->files); now != state_->stamps) {
    state_->stamps = now;
    if (auto renewed = read(state_->files))
      state_->settings = std::move(*renewed);
    else
      state_->trouble = renewed.error().text();
  }
  return std::make_unique<ServerSession>(std::make_unique<ServerSession::State>(state_->settings.get()));
}

std::string Server::take_trouble() { return std::exchange(state_->trouble, {}); }

}  // namespace belfry::tls
