// A belfry without TLS (-DBELFRY_TLS=OFF): smaller, and honest about what it cannot do.
#include "tls/client.hpp"
#include "tls/server.hpp"

namespace belfry::tls {

class Client {};
struct Resumption::State {};
struct ClientSession::State {};

Resumption::Resumption() = default;
Resumption::~Resumption() = default;
Resumption::Resumption(Resumption&&) noexcept = default;
Resumption& Resumption::operator=(Resumption&&) noexcept = default;

Clients::Clients() = default;
Clients::~Clients() = default;

Result<std::shared_ptr<Client>> Clients::get(const config::TlsOptions&) {
  return std::unexpected(Error(Error::Kind::invalid,
                               "cannot speak TLS: this belfry was built without it; use one that was not"));
}

// Never made: a session needs a client, and there is none.
ClientSession::ClientSession(std::shared_ptr<Client>, const std::string&, Resumption*, std::string_view) {}
ClientSession::~ClientSession() = default;
void ClientSession::incoming(std::string_view) {}
void ClientSession::outgoing(std::string&) {}
Result<bool> ClientSession::handshake() { return std::unexpected(Error::failed("no TLS")); }
Result<void> ClientSession::encrypt(std::string_view) { return std::unexpected(Error::failed("no TLS")); }
Result<std::size_t> ClientSession::decrypt(std::span<char>) {
  return std::unexpected(Error::failed("no TLS"));
}
bool ClientSession::closed() const { return true; }
std::optional<std::chrono::system_clock::time_point> ClientSession::expiry() const { return std::nullopt; }
bool ClientSession::resumed() const { return false; }

struct ServerSession::State {};
struct Server::State {};

Result<std::unique_ptr<Server>> Server::load(const config::HttpTls&) {
  return std::unexpected(Error(Error::Kind::invalid,
                               "cannot serve TLS: this belfry was built without it; use one that was not"));
}
Server::~Server() = default;
std::unique_ptr<ServerSession> Server::accept() { return nullptr; }  // never called: there is no server
std::string Server::take_trouble() { return {}; }

ServerSession::~ServerSession() = default;
void ServerSession::incoming(std::string_view) {}
void ServerSession::outgoing(std::string&) {}
Result<bool> ServerSession::handshake() { return std::unexpected(Error::failed("no TLS")); }
Result<void> ServerSession::encrypt(std::string_view) { return std::unexpected(Error::failed("no TLS")); }
Result<std::size_t> ServerSession::decrypt(std::span<char>) {
  return std::unexpected(Error::failed("no TLS"));
}
Result<bool> ServerSession::has_plain() { return std::unexpected(Error::failed("no TLS")); }
void ServerSession::say_goodbye() {}
bool ServerSession::closed() const { return true; }
bool ServerSession::heard_plain_http() const { return false; }

}  // namespace belfry::tls
