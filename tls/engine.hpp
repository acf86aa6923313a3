// One session of the TLS library between two pieces of memory, and what both of its sides share. Includes
// OpenSSL: for the room's own files only.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "channels/error.hpp"

namespace belfry::tls {

template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* thing) const {
    release(thing);
  }
};
using Settings = std::unique_ptr<SSL_CTX, Releaser<SSL_CTX_free>>;

// What the library has said last; it keeps its errors in a queue: the first is why, the rest are
// consequences.
[[nodiscard]] std::string last_words();

// PEM files, as chains; an empty `key` is in the file of the certificate. The error names the file.
[[nodiscard]] Result<void> use_certificate(SSL_CTX* settings, const std::string& cert,
                                           const std::string& key);

// Owner: a session of either side, which says first which one it is. Cancellation: none, because nothing here
// waits.
class Engine {
 public:
  explicit Engine(SSL_CTX* settings);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void incoming(std::string_view bytes);
  void outgoing(std::string& out);
  // True when it is done; false when more has to come.
  Result<bool> handshake();
  Result<void> encrypt(std::string_view plain);
  // 0 when more has to come, or the peer has closed.
  Result<std::size_t> decrypt(std::span<char> plain);
  // Whether there is something that decrypt() would give.
  Result<bool> has_plain();
  // The farewell is put into what goes out.
  void say_goodbye();

  [[nodiscard]] bool closed() const { return ended_; }
  [[nodiscard]] bool heard_plain_http() const { return heard_plain_http_; }
  [[nodiscard]] SSL* ssl() const { return session_.get(); }

 private:
  // What `result` of a call means: true, more has to come, or an error.
  Result<bool> judge(int result);
  std::string reason();

  std::unique_ptr<SSL, Releaser<SSL_free>> session_;
  BIO* from_wire_;  // the session's
  BIO* to_wire_;    // the session's
  bool ended_ = false;
  bool heard_plain_http_ = false;
};

}  // namespace belfry::tls
