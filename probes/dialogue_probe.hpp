// A probe that connects to a server and talks to it: whom, how, and what about.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "probes/local_owner.hpp"
#include "probes/net/connection.hpp"
#include "probes/net/resolver.hpp"
#include "probes/net/target.hpp"
#include "probes/probe.hpp"
#include "probes/protocols/dialogue.hpp"
#include "tls/client.hpp"

namespace belfry::probes {

// What all probes that go over the network share. What it refers to is the factory's, which outlives them.
struct NetMeans {
  Resolver& resolver;
  tls::Clients& tls;
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
  std::string alpn = {};               // as tls::ClientSession takes it
  std::unique_ptr<Dialogue> dialogue;  // null: to be connected is enough
  bool keep = false;                   // a connection that the dialogue can use again
};

// Whether it is asked so often that a connection may be kept in between: not when the server would hold it
// for longer than it talks to us.
[[nodiscard]] bool is_asked_often(const ProbeContext& about);

// Owner: the incarnation it asks about. Lifecycle and Cancellation: as every Probe. A connection that the
//   dialogue can use again is kept until the next check. It is made anew when the server has closed it or
//   said something unasked meanwhile ("408", an announced end), and every 10 s: it says nothing of whether
//   the server takes new ones.
class DialogueProbe final : public Probe {
 public:
  static constexpr std::size_t most_heard = std::size_t{2} << 20;  // bytes of one answer
  static constexpr Duration longest_kept = std::chrono::seconds(10);

  DialogueProbe(NetMeans means, Conversation conversation, LocalOwner owner);
  Task<CheckResult> check(Context& ctx) override;
  [[nodiscard]] std::optional<SystemTime> certificate_expiry() const override { return expiry_; }

 private:
  Task<CheckResult> open(Context& ctx);
  Task<CheckResult> secure(Context& ctx);
  Task<CheckResult> converse(Context& ctx);
  Task<Result<Dialogue::Step>> listen(Context& ctx, std::string& say);
  // Whether the connection of the last check can be used for this one.
  [[nodiscard]] bool stands(TimePoint now);
  void part(const CheckResult& outcome);
  // To be connected is all.
  [[nodiscard]] bool says_nothing() const {
    return !conversation_.dialogue && conversation_.tls == TlsStart::never;
  }
  [[nodiscard]] Error failed(const Error& why) const;

  NetMeans means_;
  Conversation conversation_;
  LocalOwner owner_;
  tls::Resumption resumption_;
  std::optional<Connection> connection_;  // open between checks only when it is kept
  TimePoint connected_at_{};
  std::optional<SystemTime> expiry_;  // of the server's certificate
  std::string say_;
  std::size_t heard_ = 0;  // bytes, in this check
};

// What the file says of TLS: `first` when the URL asks for it (`https`) or `tls:` is there.
[[nodiscard]] TlsStart tls_of(const config::Probe& spec, bool url_asks);

}  // namespace belfry::probes
