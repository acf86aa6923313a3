// TLS as a server: what is shown to clients, who of them is let in, and one session as a machine without a
// socket. Whoever owns the connection does the waiting, as with tls/client.hpp.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "channels/error.hpp"
#include "config/model/model.hpp"

namespace belfry::tls {

// Owner: a connection. Lifecycle: handshake() until it is done, then encrypt() and decrypt(); whatever is
//   called, outgoing() has to be sent. Cancellation: none, because nothing here waits.
class ServerSession {
 public:
  struct State;
  explicit ServerSession(std::unique_ptr<State> state);
  ~ServerSession();
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  // Bytes that came over the wire.
  void incoming(std::string_view bytes);
  // Bytes for the wire: moved to the end of `out`.
  void outgoing(std::string& out);

  // True when it is done; false when more has to come.
  Result<bool> handshake();
  Result<void> encrypt(std::string_view plain);
  // How many bytes were put into `plain`; 0 when more has to come, or the client has closed (closed()).
  Result<std::size_t> decrypt(std::span<char> plain);
  // Whether decrypt() would give something.
  Result<bool> has_plain();
  // Tells the client that nothing follows, so that it knows an end from a cut (RFC 8446, 6.1).
  void say_goodbye();
  [[nodiscard]] bool closed() const;
  // Why the handshake has failed: a client that speaks HTTP without TLS.
  [[nodiscard]] bool heard_plain_http() const;

 private:
  std::unique_ptr<State> state_;
};

// What all sessions of some addresses share. Owner: whoever listens. Lifecycle: sessions may outlive it.
class Server {
 public:
  // Errors: "cannot read the certificate in cert.pem: …"; that this belfry was built without TLS.
  static Result<std::unique_ptr<Server>> load(const config::HttpTls& files);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Of a client that has connected. Certificates are renewed under a server that runs: the files are read
  // again when they have changed, and what they were before stays in use while they cannot be read.
  [[nodiscard]] std::unique_ptr<ServerSession> accept();
  // Why changed files are not in use; told once for each change. Empty: nothing is wrong.
  [[nodiscard]] std::string take_trouble();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace belfry::tls
