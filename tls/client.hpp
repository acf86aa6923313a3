// TLS as a client: what is believed, and one session as a machine without a socket.
//
// The problem: a TLS library that reads and writes by itself waits by itself, too. Here it is given the bytes
// that came and asked for those to send; whoever owns the connection does the waiting, with a context.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "channels/error.hpp"
#include "config/model/model.hpp"

namespace belfry::tls {

// What sessions with the same options share: authorities, a certificate of one's own.
class Client;

// Owner: the factory. Lifecycle: sessions may outlive it, because they share what they use. A thousand probes
//   with the same options read their files once, and again when the files have changed.
class Clients {
 public:
  Clients();
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  // Errors: "cannot read the authorities in ca.pem: …"; that this belfry was built without TLS.
  Result<std::shared_ptr<Client>> get(const config::TlsOptions& options);

 private:
  using Key = std::tuple<bool, std::string, std::string, std::string>;
  std::map<Key, std::shared_ptr<Client>> clients_;
};

// What a server gave to take up a session again (RFC 8446, 2.2), so that the next handshake costs less.
// Owner: whoever talks to the same server again and again; outlives the session that is made with it.
class Resumption {
 public:
  Resumption();
  ~Resumption();
  Resumption(Resumption&&) noexcept;
  Resumption& operator=(Resumption&&) noexcept;

 private:
  friend class ClientSession;
  friend class Client;
  struct State;
  std::unique_ptr<State> state_;
};

// Owner: a connection. Lifecycle: handshake() until it is done, then encrypt() and decrypt(); whatever is
//   called, outgoing() has to be sent. Cancellation: none, because nothing here waits.
class ClientSession {
 public:
  // `host` is whom the certificate must be for: a name or an address; empty: anybody. `alpn` in the form of
  // RFC 7301 ("\2h2").
  ClientSession(std::shared_ptr<Client> client, const std::string& host, Resumption* resumption,
                std::string_view alpn = {});
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // Bytes that came over the wire.
  void incoming(std::string_view bytes);
  // Bytes for the wire: moved to the end of `out`.
  void outgoing(std::string& out);

  // True when it is done; false when more has to come. The error says what is wrong with the certificate.
  Result<bool> handshake();
  Result<void> encrypt(std::string_view plain);
  // How many bytes were put into `plain`; 0 when more has to come, or the server has closed (closed()).
  Result<std::size_t> decrypt(std::span<char> plain);
  [[nodiscard]] bool closed() const;

  // The first end of the certificates that the server has shown, believed or not; empty before that.
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> expiry() const;
  [[nodiscard]] bool resumed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace belfry::tls
