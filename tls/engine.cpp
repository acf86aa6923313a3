#include "tls/engine.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace belfry::tls {

namespace {

// By itself the library would ask at the terminal, and the loop would wait for whoever sits there.
int give_no_passphrase(char* /*into*/, int /*size*/, int /*rwflag*/, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
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

}  // namespace

std::string last_words() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown error" : reason;
}

Result<void> use_certificate(SSL_CTX* settings, const std::string& cert, const std::string& key) {
  const std::string& key_file = key.empty() ? cert : key;
  bool is_encrypted = false;
  SSL_CTX_set_default_passwd_cb(settings, &give_no_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(settings, &is_encrypted);
  if (SSL_CTX_use_certificate_chain_file(settings, cert.c_str()) != 1)
    return std::unexpected(
        Error(Error::Kind::invalid, "cannot read the certificate in " + cert + ": " + last_words()));
  if (SSL_CTX_use_PrivateKey_file(settings, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return std::unexpected(Error(Error::Kind::invalid,
                                 "cannot use the private key in " + key_file + ": " +
                                     (is_encrypted ? "it is encrypted, and nobody is asked for a passphrase; "
                                                     "write it without one (`openssl pkey`)"
                                                   : last_words())));
  return {};
}

Engine::Engine(SSL_CTX* settings)
    : session_(SSL_new(settings)), from_wire_(BIO_new(BIO_s_mem())), to_wire_(BIO_new(BIO_s_mem())) {
  BIO_set_mem_eof_return(from_wire_, -1);
  SSL_set_bio(session_.get(), from_wire_, to_wire_);
}

void Engine::incoming(std::string_view bytes) {
  BIO_write(from_wire_, bytes.data(), static_cast<int>(bytes.size()));
}

void Engine::outgoing(std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + BIO_ctrl_pending(to_wire_));
  if (out.size() > before) BIO_read(to_wire_, out.data() + before, static_cast<int>(out.size() - before));
}

Result<bool> Engine::judge(int result) {
  if (result > 0) return true;
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return false;
    case SSL_ERROR_ZERO_RETURN: ended_ = true; return false;
    default: return std::unexpected(Error::failed(reason()));
  }
}

std::string Engine::reason() {
  const unsigned long code = ERR_peek_error();
  heard_plain_http_ = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST;
  const long verdict = SSL_get_verify_result(session_.get());
  if (verdict != X509_V_OK && !SSL_is_init_finished(session_.get())) {
    ERR_clear_error();
    return std::string("its certificate is not to be believed: ") + X509_verify_cert_error_string(verdict);
  }
  if (std::string known = reason_of(code); !known.empty()) {
    ERR_clear_error();
    return known;
  }
  return "TLS: " + last_words();
}

Result<bool> Engine::handshake() {
  ERR_clear_error();
  return judge(SSL_do_handshake(session_.get()));
}

Result<void> Engine::encrypt(std::string_view plain) {
  if (plain.empty()) return {};
  ERR_clear_error();
  const auto done = judge(SSL_write(session_.get(), plain.data(), static_cast<int>(plain.size())));
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<std::size_t> Engine::decrypt(std::span<char> plain) {
  ERR_clear_error();
  const int got = SSL_read(session_.get(), plain.data(), static_cast<int>(plain.size()));
  const auto done = judge(got);
  if (!done) return std::unexpected(done.error());
  return *done ? static_cast<std::size_t>(got) : 0;
}

Result<bool> Engine::has_plain() {
  ERR_clear_error();
  char byte = 0;
  return judge(SSL_peek(session_.get(), &byte, 1));
}

void Engine::say_goodbye() {
  ERR_clear_error();
  if (SSL_is_init_finished(session_.get())) SSL_shutdown(session_.get());
  ERR_clear_error();
}

}  // namespace belfry::tls
