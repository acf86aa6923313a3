// A belfry without TLS (-DBELFRY_TLS=OFF): smaller, and honest about what it cannot do.
#include "probes/net/tls.hpp"

namespace belfry::probes {

class TlsClient {};
struct TlsResumption::State {};
struct TlsSession::State {};

TlsResumption::TlsResumption() = default;
TlsResumption::~TlsResumption() = default;
TlsResumption::TlsResumption(TlsResumption&&) noexcept = default;
TlsResumption& TlsResumption::operator=(TlsResumption&&) noexcept = default;

TlsClients::TlsClients() = default;
TlsClients::~TlsClients() = default;

Result<std::shared_ptr<TlsClient>> TlsClients::get(const config::TlsOptions&) {
  return std::unexpected(Error(Error::Kind::invalid,
                               "cannot speak TLS: this belfry was built without it; use one that was not"));
}

// Never made: a session needs a client, and there is none.
TlsSession::TlsSession(std::shared_ptr<TlsClient>, const std::string&, TlsResumption*, std::string_view) {}
TlsSession::~TlsSession() = default;
void TlsSession::incoming(std::string_view) {}
void TlsSession::outgoing(std::string&) {}
Result<bool> TlsSession::handshake() { return std::unexpected(Error::failed("no TLS")); }
Result<void> TlsSession::encrypt(std::string_view) { return std::unexpected(Error::failed("no TLS")); }
Result<std::size_t> TlsSession::decrypt(std::span<char>) { return std::unexpected(Error::failed("no TLS")); }
bool TlsSession::closed() const { return true; }
std::optional<std::chrono::system_clock::time_point> TlsSession::expiry() const { return std::nullopt; }
bool TlsSession::resumed() const { return false; }

}  // namespace belfry::probes
