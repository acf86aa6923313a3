#include "tls/client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <iterator>
#include <utility>

#include "channels/asio.hpp"
#include "system/file_facts.hpp"
#include "system/file_stamp.hpp"
#include "tls/engine.hpp"

namespace belfry::tls {

namespace {

using Ticket = std::unique_ptr<SSL_SESSION, Releaser<SSL_SESSION_free>>;
using SystemTime = std::chrono::system_clock::time_point;

std::optional<SystemTime> end_of(const X509* certificate) {
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
    return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&end));
}

// Of what the server has shown: its own certificate and those that lead to an authority.
std::optional<SystemTime> earliest_end(const SSL* session) {
  std::optional<SystemTime> earliest = end_of(SSL_get0_peer_certificate(session));
  const STACK_OF(X509)* const chain = SSL_get_peer_cert_chain(session);
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    const auto end = end_of(sk_X509_value(chain, i));
    if (end && (!earliest || *end < *earliest)) earliest = end;
  }
  return earliest;
}

// Whom the certificate must be for. False: no certificate can be for such a name, and none would be compared
// with it.
bool set_peer(SSL* session, std::string host) {
  error_code no_address;
  (void)asio::ip::make_address(host, no_address);
  if (!no_address) {
    host.resize(std::min(host.find('%'), host.size()));  // a zone is this host's own affair (RFC 6874, 1)
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1;
  }
  if (host.size() > 1 && host.ends_with('.')) host.pop_back();
  // SNI is for names, without the dot behind them (RFC 6066, 3).
  return SSL_set1_host(session, host.c_str()) == 1 && SSL_set_tlsext_host_name(session, host.c_str()) == 1;
}

}  // namespace

// What is resumed is not looked at again: neither whether its certificate has ended, nor whether there is a
// new one. So nothing is resumed after the certificate's end, nor longer than an hour after a whole
// handshake.
struct Resumption::State {
  static constexpr std::chrono::hours longest{1};
  Ticket ticket;
  SystemTime looked_at{};  // the last whole handshake
  SystemTime expiry{};

  [[nodiscard]] bool may_be_used(SystemTime now) const {
    return ticket != nullptr && now < expiry && now >= looked_at && now - looked_at < longest;
  }
};

Resumption::Resumption() : state_(std::make_unique<State>()) {}
Resumption::~Resumption() = default;
Resumption::Resumption(Resumption&&) noexcept = default;
Resumption& Resumption::operator=(Resumption&&) noexcept = default;

class Client {
 public:
  static Result<std::shared_ptr<Client>> make(const config::TlsOptions& options);
  [[nodiscard]] SSL_CTX* settings() const { return settings_.get(); }
  [[nodiscard]] bool is_current() const { return stamps_of(options_) == stamps_; }

 private:
  using Stamps = std::array<system::FileStamp, 3>;
  explicit Client(const config::TlsOptions& options)
      : options_(options), stamps_(stamps_of(options)), settings_(SSL_CTX_new(TLS_client_method())) {}

  static Stamps stamps_of(const config::TlsOptions& options) {
    const auto of = [](const std::string& path) {
      return path.empty() ? system::FileStamp() : system::FileStamp::of(path.c_str());
    };
    return {of(options.ca), of(options.cert), of(options.key)};
  }
  Result<void> load_authorities();

  // Called within a read: the server has given a ticket. 1: it is kept here.
  static int keep_ticket(SSL* session, SSL_SESSION* ticket) {
    auto* const state = static_cast<Resumption::State*>(SSL_get_app_data(session));
    if (state == nullptr) return 0;
    state->ticket.reset(ticket);
    if (SSL_session_reused(session) != 1) {
      state->looked_at = std::chrono::system_clock::now();
      state->expiry = earliest_end(session).value_or(SystemTime());
    }
    return 1;
  }

  config::TlsOptions options_;
  Stamps stamps_;
  Settings settings_;
};

namespace {

// Where other distributions keep what they trust: a static belfry has its builder's OpenSSL in it, which
// knows the builder's places only. (Alpine and Debian, Fedora, openSUSE, and OpenSSL as it comes.)
constexpr const char* bundles[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                   "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

bool is_known_to_openssl() {
  return std::getenv(X509_get_default_cert_file_env()) != nullptr ||
         std::getenv(X509_get_default_cert_dir_env()) != nullptr ||
         system::is_regular_file(X509_get_default_cert_file()) ||
         system::access_error(X509_get_default_cert_dir(), system::Access::enter) == 0;
}

int load_authorities_of_this_host(SSL_CTX* settings) {
  if (is_known_to_openssl()) return SSL_CTX_set_default_verify_paths(settings);
  const auto* const bundle = std::ranges::find_if(bundles, system::is_regular_file);
  return bundle == std::end(bundles) ? 1 : SSL_CTX_load_verify_file(settings, *bundle);
}

}  // namespace

Result<void> Client::load_authorities() {
  if (!options_.verify) return {};
  SSL_CTX_set_verify(settings(), SSL_VERIFY_PEER, nullptr);
  const int loaded = options_.ca.empty()
                         ? load_authorities_of_this_host(settings())
                         : SSL_CTX_load_verify_locations(settings(), options_.ca.c_str(), nullptr);
  if (loaded == 1) return {};
  const std::string place = options_.ca.empty() ? "of this host" : "in " + options_.ca;
  return std::unexpected(
      Error(Error::Kind::invalid, "cannot read the authorities " + place + ": " + last_words()));
}

Result<std::shared_ptr<Client>> Client::make(const config::TlsOptions& options) {
  ERR_clear_error();
  std::shared_ptr<Client> client(new Client(options));
  if (!client->settings_)
    return std::unexpected(Error(Error::Kind::system, "cannot set up TLS: " + last_words()));
  SSL_CTX_set_min_proto_version(client->settings(), TLS1_2_VERSION);
  SSL_CTX_set_mode(client->settings(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(client->settings(),
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(client->settings(), &Client::keep_ticket);
  if (auto good = client->load_authorities(); !good) return std::unexpected(good.error());
  if (options.cert.empty()) return client;
  if (auto good = use_certificate(client->settings(), options.cert, options.key); !good)
    return std::unexpected(good.error());
  return client;
}

Clients::Clients() = default;
Clients::~Clients() = default;

Result<std::shared_ptr<Client>> Clients::get(const config::TlsOptions& options) {
  std::shared_ptr<Client>& client = clients_[Key(options.verify, options.ca, options.cert, options.key)];
  if (client && client->is_current()) return client;
  auto made = Client::make(options);
  if (!made) return made;
  client = std::move(*made);
  return client;
}

struct ClientSession::State {
  explicit State(std::shared_ptr<Client> c) : client(std::move(c)), engine(client->settings()) {}
  std::shared_ptr<Client> client;
  Engine engine;
  bool has_peer = false;  // it is settled whom the certificate must be for
};

ClientSession::ClientSession(std::shared_ptr<Client> client, const std::string& host, Resumption* resumption,
                             std::string_view alpn) {
  state_ = std::make_unique<State>(std::move(client));
  SSL* const session = state_->engine.ssl();
  SSL_set_connect_state(session);
  state_->has_peer = host.empty() || set_peer(session, host);
  if (!alpn.empty())
    SSL_set_alpn_protos(session, reinterpret_cast<const unsigned char*>(alpn.data()),
                        static_cast<unsigned>(alpn.size()));
  if (resumption == nullptr) return;
  SSL_set_app_data(session, resumption->state_.get());
  if (resumption->state_->may_be_used(std::chrono::system_clock::now()))
    SSL_set_session(session, resumption->state_->ticket.get());
}

// To the library a session that ends without a farewell is a broken one, and its ticket void. Here the end of
// the connection says it all: what was to be heard has been heard.
ClientSession::~ClientSession() {
  SSL_set_shutdown(state_->engine.ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void ClientSession::incoming(std::string_view bytes) { state_->engine.incoming(bytes); }
void ClientSession::outgoing(std::string& out) { state_->engine.outgoing(out); }

Result<bool> ClientSession::handshake() {
  if (!state_->has_peer)
    return std::unexpected(Error(Error::Kind::invalid, "no certificate can be for a server of this name"));
  return state_->engine.handshake();
}

Result<void> ClientSession::encrypt(std::string_view plain) { return state_->engine.encrypt(plain); }
Result<std::size_t> ClientSession::decrypt(std::span<char> plain) { return state_->engine.decrypt(plain); }
bool ClientSession::closed() const { return state_->engine.closed(); }

std::optional<std::chrono::system_clock::time_point> ClientSession::expiry() const {
  return earliest_end(state_->engine.ssl());
}

bool ClientSession::resumed() const { return SSL_session_reused(state_->engine.ssl()) == 1; }

}  // namespace belfry::tls
