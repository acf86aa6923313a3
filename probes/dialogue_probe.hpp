// A probe that connects to a server and talks to it: whom, how, and what about.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "probes/local_owner.hpp"
#include "probes/net/connection.hpp"
#include "probes/net/resolver.hpp"
#include "probes/net/target.hpp"
#include "probes/net/tls.hpp"
#include "probes/probe.hpp"
#include "probes/protocols/dialogue.hpp"

namespace belfry::probes {

// What all probes that go over the network share. What it refers to is the factory's, which outlives them.
struct NetMeans {
  Resolver& resolver;
  TlsClients& tls;
  KernelQuestions questions;
};

// When TLS begins.
enum class TlsStart : std::uint8_t {
  never,
  first,   // before anything is said
  agreed,  // when the dialogue says so
};

struct Conversation {
  Target target;
  std::string what;  // of messages: "cannot get / from a:80"
  TlsStart tls = TlsStart::never;
  config::TlsOptions tls_options = {};
  bool any_name = false;               // of a certificate that is checked: whoever it is for
  std::string alpn = {};               // as TlsSession takes it
  std::unique_ptr<Dialogue> dialogue;  // null: to be connected is enough
};

// Owner: the incarnation it asks about. Lifecycle and Cancellation: as every Probe. A connection that the
//   dialogue can use again is kept until the next check, and made anew when the server has closed it
//   meanwhile.
class DialogueProbe final : public Probe {
 public:
  static constexpr std::size_t most_heard = std::size_t{2} << 20;  // bytes of one answer

  DialogueProbe(NetMeans means, Conversation conversation, LocalOwner owner);
  Task<CheckResult> check(Context& ctx) override;

 private:
  Task<CheckResult> open(Context& ctx, Connection& connection);
  Task<CheckResult> secure(Context& ctx, Connection& connection);
  Task<CheckResult> converse(Context& ctx, Connection& connection);
  Task<Result<Dialogue::Step>> listen(Context& ctx, Connection& connection, std::string& say);
  void keep(const CheckResult& outcome, std::unique_ptr<Connection> connection);
  [[nodiscard]] Error failed(const Error& why) const { return why.wrap(conversation_.what); }

  NetMeans means_;
  Conversation conversation_;
  LocalOwner owner_;
  TlsResumption resumption_;
  std::unique_ptr<Connection> kept_;  // from the last check
  std::size_t heard_ = 0;             // bytes, in this check
};

// What the file says of TLS: `first` when the URL asks for it (`https`) or `tls:` is there.
[[nodiscard]] TlsStart tls_of(const config::Probe& spec, bool url_asks);

}  // namespace belfry::probes
