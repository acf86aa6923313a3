#include "probes/net/tls.hpp"

#include <openssl/bio.h>
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

namespace belfry::probes {

namespace {

template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* thing) const {
    release(thing);
  }
};
using Settings = std::unique_ptr<SSL_CTX, Releaser<SSL_CTX_free>>;
using Ticket = std::unique_ptr<SSL_SESSION, Releaser<SSL_SESSION_free>>;

// The library keeps its errors in a queue: the first is why, the rest are consequences.
std::string last_words() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

std::string reason_of(unsigned long code) {
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return {};
  switch (ERR_GET_REASON(code)) {
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
      return "it does not speak what it was asked for within TLS (ALPN); HTTP/2 only?";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "it asks for a certificate of the client's: `tls: {cert: …, key: …}`";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST: return "it does not speak TLS";
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: return "it closed the connection in the middle of TLS";
    default: return {};
  }
}

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
struct TlsResumption::State {
  static constexpr std::chrono::hours longest{1};
  Ticket ticket;
  SystemTime looked_at{};  // the last whole handshake
  SystemTime expiry{};

  [[nodiscard]] bool may_be_used(SystemTime now) const {
    return ticket != nullptr && now < expiry && now >= looked_at && now - looked_at < longest;
  }
};

TlsResumption::TlsResumption() : state_(std::make_unique<State>()) {}
TlsResumption::~TlsResumption() = default;
TlsResumption::TlsResumption(TlsResumption&&) noexcept = default;
TlsResumption& TlsResumption::operator=(TlsResumption&&) noexcept = default;

class TlsClient {
 public:
  static Result<std::shared_ptr<TlsClient>> make(const config::TlsOptions& options);
  [[nodiscard]] SSL_CTX* settings() const { return settings_.get(); }
  [[nodiscard]] bool is_current() const { return stamps_of(options_) == stamps_; }

 private:
  using Stamps = std::array<system::FileStamp, 3>;
  explicit TlsClient(const config::TlsOptions& options)
      : options_(options), stamps_(stamps_of(options)), settings_(SSL_CTX_new(TLS_client_method())) {}

  static Stamps stamps_of(const config::TlsOptions& options) {
    const auto of = [](const std::string& path) {
      return path.empty() ? system::FileStamp() : system::FileStamp::of(path.c_str());
    };
    return {of(options.ca), of(options.cert), of(options.key)};
  }
  Result<void> load_authorities();
  Result<void> load_certificate();
  static int give_no_passphrase(char* into, int size, int rwflag, void* was_asked);

  // Called within a read: the server has given a ticket. 1: it is kept here.
  static int keep_ticket(SSL* session, SSL_SESSION* ticket) {
    auto* const state = static_cast<TlsResumption::State*>(SSL_get_app_data(session));
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

Result<void> TlsClient::load_authorities() {
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

// By itself the library would ask at the terminal, and the loop would wait for whoever sits there.
int TlsClient::give_no_passphrase(char* /*into*/, int /*size*/, int /*rwflag*/, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

Result<void> TlsClient::load_certificate() {
  if (options_.cert.empty()) return {};
  const std::string& key = options_.key.empty() ? options_.cert : options_.key;
  bool is_encrypted = false;
  SSL_CTX_set_default_passwd_cb(settings(), &TlsClient::give_no_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(settings(), &is_encrypted);
  if (SSL_CTX_use_certificate_chain_file(settings(), options_.cert.c_str()) != 1)
    return std::unexpected(
        Error(Error::Kind::invalid, "cannot read the certificate in " + options_.cert + ": " + last_words()));
  if (SSL_CTX_use_PrivateKey_file(settings(), key.c_str(), SSL_FILETYPE_PEM) != 1)
    return std::unexpected(Error(Error::Kind::invalid,
                                 "cannot use the private key in " + key + ": " +
                                     (is_encrypted ? "it is encrypted, and nobody is asked for a passphrase; "
                                                     "write it without one (`openssl pkey`)"
                                                   : last_words())));
  return {};
}

Result<std::shared_ptr<TlsClient>> TlsClient::make(const config::TlsOptions& options) {
  ERR_clear_error();
  std::shared_ptr<TlsClient> client(new TlsClient(options));
  if (!client->settings_)
    return std::unexpected(Error(Error::Kind::system, "cannot set up TLS: " + last_words()));
  SSL_CTX_set_min_proto_version(client->settings(), TLS1_2_VERSION);
  SSL_CTX_set_mode(client->settings(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(client->settings(),
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(client->settings(), &TlsClient::keep_ticket);
  if (auto good = client->load_authorities(); !good) return std::unexpected(good.error());
  if (auto good = client->load_certificate(); !good) return std::unexpected(good.error());
  return client;
}

TlsClients::TlsClients() = default;
TlsClients::~TlsClients() = default;

Result<std::shared_ptr<TlsClient>> TlsClients::get(const config::TlsOptions& options) {
  std::shared_ptr<TlsClient>& client = clients_[Key(options.verify, options.ca, options.cert, options.key)];
  if (client && client->is_current()) return client;
  auto made = TlsClient::make(options);
  if (!made) return made;
  client = std::move(*made);
  return client;
}

struct TlsSession::State {
  State(std::shared_ptr<TlsClient> c, SSL* s) : client(std::move(c)), session(s) {}
  std::shared_ptr<TlsClient> client;
  std::unique_ptr<SSL, Releaser<SSL_free>> session;
  BIO* from_wire = BIO_new(BIO_s_mem());  // the session's
  BIO* to_wire = BIO_new(BIO_s_mem());    // the session's
  bool has_peer = false;                  // it is settled whom the certificate must be for
  bool ended = false;

  // What `result` of a call means: true, more has to come, or an error.
  Result<bool> judge(int result) {
    if (result > 0) return true;
    switch (SSL_get_error(session.get(), result)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE: return false;
      case SSL_ERROR_ZERO_RETURN: ended = true; return false;
      default: return std::unexpected(Error::failed(reason()));
    }
  }
  std::string reason() {
    const long verdict = SSL_get_verify_result(session.get());
    if (verdict != X509_V_OK && !SSL_is_init_finished(session.get())) {
      ERR_clear_error();
      return std::string("its certificate is not to be believed: ") + X509_verify_cert_error_string(verdict);
    }
    if (std::string known = reason_of(ERR_peek_error()); !known.empty()) {
      ERR_clear_error();
      return known;
    }
    return "TLS: " + last_words();
  }
};

TlsSession::TlsSession(std::shared_ptr<TlsClient> client, const std::string& host, TlsResumption* resumption,
                       std::string_view alpn) {
  SSL* const session = SSL_new(client->settings());
  state_ = std::make_unique<State>(std::move(client), session);
  BIO_set_mem_eof_return(state_->from_wire, -1);
  SSL_set_bio(session, state_->from_wire, state_->to_wire);
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
TlsSession::~TlsSession() {
  SSL_set_shutdown(state_->session.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void TlsSession::incoming(std::string_view bytes) {
  BIO_write(state_->from_wire, bytes.data(), static_cast<int>(bytes.size()));
}

void TlsSession::outgoing(std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + BIO_ctrl_pending(state_->to_wire));
  if (out.size() > before)
    BIO_read(state_->to_wire, out.data() + before, static_cast<int>(out.size() - before));
}

Result<bool> TlsSession::handshake() {
  if (!state_->has_peer)
    return std::unexpected(Error(Error::Kind::invalid, "no certificate can be for a server of this name"));
  ERR_clear_error();
  return state_->judge(SSL_do_handshake(state_->session.get()));
}

Result<void> TlsSession::encrypt(std::string_view plain) {
  if (plain.empty()) return {};
  ERR_clear_error();
  const auto done =
      state_->judge(SSL_write(state_->session.get(), plain.data(), static_cast<int>(plain.size())));
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<std::size_t> TlsSession::decrypt(std::span<char> plain) {
  ERR_clear_error();
  const int got = SSL_read(state_->session.get(), plain.data(), static_cast<int>(plain.size()));
  const auto done = state_->judge(got);
  if (!done) return std::unexpected(done.error());
  return *done ? static_cast<std::size_t>(got) : 0;
}

bool TlsSession::closed() const { return state_->ended; }

std::optional<std::chrono::system_clock::time_point> TlsSession::expiry() const {
  return earliest_end(state_->session.get());
}

bool TlsSession::resumed() const { return SSL_session_reused(state_->session.get()) == 1; }

}  // namespace belfry::probes
