// Ports that two services want.
#include <algorithm>
#include <map>

#include "config/keys/quote.hpp"
#include "config/model/address.hpp"
#include "config/validate/validate.hpp"

namespace belfry::config {
namespace {

// Who wants a port, and how sure it is that two of them cannot have it.
struct Claim {
  std::size_t service = 0;  // index, or `nobody` for belfry's own HTTP
  std::string owner;
  std::string host;  // empty: unknown, as of a `port:` probe
  Span where;
};
constexpr std::size_t nobody = static_cast<std::size_t>(-1);

bool any_address(const std::string& host) {
  return host.empty() || host == "0.0.0.0" || host == "::" || host == "*";
}

class PortTable {
 public:
  PortTable(Decoder& decoder, const StackDraft& draft) : decoder_(decoder), draft_(draft) {}

  void claim(bool udp, std::uint16_t port, Claim claim) {
    if (port == 0) return;
    auto& holders = claims_[{udp, port}];
    for (const Claim& other : holders)
      if (collide(other, claim)) {
        report(port, other, claim);
        break;
      }
    holders.push_back(std::move(claim));
  }

 private:
  bool collide(const Claim& a, const Claim& b) const {
    if (a.service == b.service && a.service != nobody) return false;
    return any_address(a.host) || any_address(b.host) || a.host == b.host;
  }

  bool siblings(const Claim& a, const Claim& b) const {
    if (a.service == nobody || b.service == nobody) return false;
    const std::uint32_t gate = draft_.origins[a.service].replica_of;
    return gate != 0 && gate == draft_.origins[b.service].replica_of;
  }

  void report(std::uint16_t port, const Claim& first, const Claim& second) {
    const std::string number = std::to_string(port);
    if (siblings(first, second)) {
      decoder_.diagnostics().warning(
          "shared-port", second.where, "replicas share port " + number,
          "give each its own, such as 80${REPLICA}; or have them bind with SO_REUSEPORT");
      return;
    }
    decoder_.diagnostics().add(
        {Severity::error,
         "same-port",
         second.where,
         quote(second.owner) + " wants port " + number + ", which " + quote(first.owner) + " has",
         "give one of them another port",
         {{first.where, quote(first.owner) + " has it here"}}});
  }

  Decoder& decoder_;
  const StackDraft& draft_;
  std::map<std::pair<bool, std::uint16_t>, std::vector<Claim>> claims_;
};

Span port_span(const Origin& origin, const Probe& probe) {
  const Node* const ready = origin.mapping->find("ready");
  const Node* const port = ready == nullptr ? nullptr : ready->find("port");
  return port != nullptr && !port->is_mapping() ? port->span() : Span(probe.place);
}

}  // namespace

void check_ports(Decoder& decoder, const StackDraft& draft) {
  PortTable table(decoder, draft);
  for (const std::string& address : draft.stack.http.listen)
    if (const auto parsed = parse_host_port(address); parsed && !address.starts_with("unix:"))
      table.claim(false, parsed->port, {nobody, "http", parsed->host, Span(draft.stack.http.place)});
  for (std::size_t i = 0; i < draft.stack.services.size(); ++i) {
    const Service& service = draft.stack.services[i];
    // A oneshot is gone when others run: it may use their port, as a test server does.
    if (!service.enabled || service.type != ServiceType::daemon) continue;
    for (const Probe& probe : service.ready.probes)
      if (probe.kind == Probe::Kind::port && probe.port != 0 && !service.ready.any)
        table.claim(probe.udp, probe.port, {i, service.name, "", port_span(draft.origins[i], probe)});
    if (!service.extras) continue;
    for (const ListenSocket& socket : service.extras->listen)
      if (socket.kind != ListenSocket::Kind::unix_stream && socket.port != 0 && !socket.reuse_port)
        table.claim(socket.kind == ListenSocket::Kind::udp, socket.port,
                    {i, service.name, socket.address, Span(socket.place)});
  }
}

}  // namespace belfry::config
